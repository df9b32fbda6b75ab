import { settingGroups } from './schema.ts';
import type { Setting } from './setting.ts';

const introduction = `# Settings

Gatehouse is configured by environment variables. This page is generated from the table in
\`provider/config/schema.ts\` by \`npm run generate\`.

- Every variable also exists with \`_FILE\` behind its name: the value is then the content of that file, without the
  line break at its end. Setting both is an error.
- An empty value counts as unset.
- A value that isn't allowed stops the start, and so does a \`GATEHOUSE_…\` variable that isn't in this table. All
  problems are listed at once.
- A *reference* names a secret and isn't one: \`file:/path/of/the/file\`, \`secretsmanager:NAME#KEY\` or
  \`env:NAME_OF_A_VARIABLE\` (choose a name that doesn't begin with \`GATEHOUSE_\`). *Secret* values are never shown, not even in errors.
- A file with a secret must not be readable by its group or by others (\`chmod 600\`), unless a platform mounted it: as a
  link, or in a folder that can't be written, as Kubernetes and Docker do.
- In the URLs of Postgres and Redis, special characters of user name and password are written as \`%XX\`: \`%\` as \`%25\`,
  \`@\` as \`%40\`, \`/\` as \`%2F\`, \`#\` as \`%23\`, \`?\` as \`%3F\`. Any other URL is refused and never shown.
- Variables that Kubernetes sets for Services called \`gatehouse…\` are recognised and ignored.
`;

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** A setting's default as the reference shows it. */
export function defaultText(setting: Setting): string {
  if (setting.default === undefined) return 'unset';
  return typeof setting.default === 'string' ? `\`${setting.default}\`` : setting.default.text;
}

function row(setting: Setting): string {
  const kind = setting.secret ? ' *Secret.*' : setting.reference ? ' *Reference.*' : '';
  const example = setting.example === undefined ? '' : ` Example: \`${setting.example}\`.`;
  const allowed = setting.schema.description ?? '';
  const what = `${setting.description}${kind}${example}`;
  return `| \`${setting.name}\` | ${cell(what)} | ${cell(allowed)} | ${cell(defaultText(setting))} |`;
}

/** Renders the reference of all settings, in Markdown. */
export function renderConfigurationDocs(): string {
  const sections = settingGroups.map(({ title, settings }) =>
    [
      `## ${title}`,
      '',
      '| variable | what it does | allowed | default |',
      '|---|---|---|---|',
      ...Object.values(settings).map(row),
      '',
    ].join('\n'),
  );
  return [introduction, ...sections].join('\n');
}

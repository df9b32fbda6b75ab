import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { settingList } from '../../provider/config/schema.ts';
import { eventCatalogue } from '../../provider/events/catalogue.ts';
import { blocksOf } from '../support/page-blocks.ts';
import { codeIn, pages, repositoryFiles, shellLinesIn } from './markdown-pages.ts';

/** What `read` finds in each page, with the page. */
const namedBy = (read: (text: string) => string[]) =>
  pages.flatMap(({ path, text }) => read(text).map((name) => ({ page: path, name })));

describe('settings in the documentation', () => {
  const settings = new Set<string>(settingList.flatMap(({ setting: { name } }) => [name, `${name}_FILE`]));

  /** Names that look like a setting, and a file that has them. */
  const others: Record<string, string> = {
    GATEHOUSE_DRAFT: 'adapters/aws/secrets-manager-key-store.ts',
    GATEHOUSE_TEST_SERVERS: 'test/support/global-setup.ts',
    GATEHOUSE_IMAGE: 'test/cluster/installation.ts',
    GATEHOUSE_NEXT_IMAGE: 'test/cluster/installation.ts',
    GATEHOUSE_NODE_PORT_URL: 'test/cluster/outside.ts',
    GATEHOUSE_CONNECT_CACHE: 'test/connect/support/install.ts',
  };
  const settingsIn = (text: string) => text.match(/\bGATEHOUSE_[A-Z0-9_]*[A-Z0-9]\b/g) ?? [];
  const exists = (name: string) => {
    if (settings.has(name)) return true;
    const file = others[name];
    return file !== undefined && readFileSync(file, 'utf8').includes(name);
  };

  test('every setting exists', () => {
    const named = namedBy(settingsIn);
    expect(named.length).toBeGreaterThan(200);
    const unknown = named.filter(({ name }) => !exists(name));
    // This is one of three intended mistakes on this page. The page shows the setting and the message about it.
    expect(unknown).toEqual([
      { page: 'docs/first-hour.md', name: 'GATEHOUSE_CLIENT_FILE' },
      { page: 'docs/first-hour.md', name: 'GATEHOUSE_CLIENT_FILE' },
    ]);
  });

  test('a setting that does not exist is found', () => {
    expect(settingsIn('Set `GATEHOUSE_ISSUR=…`, not GATEHOUSE_… or `GATEHOUSE_ISSUER_FILE`.')).toEqual([
      'GATEHOUSE_ISSUR',
      'GATEHOUSE_ISSUER_FILE',
    ]);
    expect(['GATEHOUSE_ISSUR', 'GATEHOUSE_ISSUER_FILE', 'GATEHOUSE_DRAFT'].map(exists)).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('values of the chart in the documentation', () => {
  interface Schema {
    properties?: Record<string, Schema>;
    additionalProperties?: unknown;
  }
  const schema: Schema = JSON.parse(readFileSync('charts/gatehouse/values.schema.json', 'utf8'));
  const topLevel = Object.keys(schema.properties ?? {});

  /** Whether the chart has this value, such as `serve.replicas`. Below a free-form value, every name is right. */
  function isValue(name: string): boolean {
    let at: Schema | undefined = schema;
    for (const part of name.split('.')) {
      if (at.properties?.[part] === undefined) return at !== schema && at.additionalProperties !== false;
      at = at.properties[part];
    }
    return true;
  }

  /** `keys.md` is a file, and `keys.changed` is an event. */
  const isOther = (name: string) =>
    /\.(md|ts|js|json|yaml|sh|tar|py|env)$/.test(name) || Object.keys(eventCatalogue).includes(name);

  /** Also in files of their own: `docs/clients.md`. */
  const alsoFiles = ['clients', 'apis', 'roles'];

  /** The values in YAML for the chart. */
  function valuesInYaml(text: string): string[] {
    return parseAllDocuments(text).flatMap((document) => {
      const content: unknown = document.toJS();
      const keys = content !== null && typeof content === 'object' ? Object.keys(content) : [];
      const isOfChart = keys.some((key) => topLevel.includes(key) && !alsoFiles.includes(key));
      return isOfChart ? pathsIn(content) : [];
    });
  }

  function pathsIn(content: unknown): string[] {
    if (content === null || typeof content !== 'object' || Array.isArray(content)) return [];
    return Object.entries(content).flatMap(([key, below]) => [
      key,
      ...pathsIn(below).map((path) => `${key}.${path}`),
    ]);
  }

  const valuesIn = (text: string): string[] => [
    ...codeIn(text)
      .map((code) => /^[a-z]\w*(?:\.[A-Za-z]\w*)+(?=:|=|$)/.exec(code)?.[0] ?? '')
      .filter((name) => topLevel.includes(name.split('.')[0] ?? '') && !isOther(name)),
    ...blocksOf(text).flatMap(({ language, text: yaml }) => (language === 'yaml' ? valuesInYaml(yaml) : [])),
    ...shellLinesIn(text)
      .filter((line) => line.startsWith('helm '))
      .flatMap((line) => [...line.matchAll(/--set(?:-\w+)? '?([\w.]+)/g)].map(([, name = '']) => name)),
  ];

  test('every value exists', () => {
    const named = namedBy(valuesIn);
    expect(named.filter(({ page }) => page === 'docs/running.md').length).toBeGreaterThan(20);
    expect(named.filter(({ name }) => !isValue(name))).toEqual([]);
  });

  test('a value that does not exist is found', () => {
    const page = [
      'Set `serve.replica: 2`, see `keys.md` and `keys.changed`.',
      '```yaml\nissuer: a\nserve: { serviceAccount: { annotations: { a: b } }, replicass: 2 }\n```',
      '```sh\nhelm upgrade gatehouse charts/gatehouse --set ingres.enabled=true\n```',
    ].join('\n\n');
    const wrong = valuesIn(page).filter((name) => !isValue(name));
    expect(wrong).toEqual(['serve.replica', 'serve.replicass', 'ingres.enabled']);
  });
});

describe('names of Terraform in the documentation', () => {
  const declared = repositoryFiles
    .filter((path) => /^terraform\/.*\.tf$/.test(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');

  /** Variables and outputs, and the attributes of variables that are objects. */
  const isDeclared = (name: string, text = declared) =>
    new RegExp(`^(?:(?:variable|output) "${name}"|\\s+${name}\\s+= )`, 'm').test(text);

  /** Variables and outputs that a command line names, and in a page about a `.tfvars` file the lines for it. */
  function namesIn(text: string): string[] {
    const isAboutVariables = text.includes('.tfvars');
    const lines = [
      ...shellLinesIn(text),
      ...codeIn(text).filter(
        (code) =>
          /^(?:terraform |var\.|TF_VAR_)/.test(code) || (isAboutVariables && /^[a-z]\w* = /.test(code)),
      ),
    ];
    const patterns = [
      /\bterraform .*?output (?:-\w+ )*([a-z]\w*)/g,
      /\s-var[ =]['"]?([a-z]\w*)=/g,
      /\bTF_VAR_(\w+)/g,
      /^var\.(\w+)/g,
      /^([a-z]\w*) = /g,
    ];
    return lines.flatMap((line) =>
      patterns.flatMap((pattern) => [...line.matchAll(pattern)].map(([, name = '']) => name)),
    );
  }

  test('every variable and output exists', () => {
    expect(namedBy(namesIn).filter(({ name }) => !isDeclared(name))).toEqual([]);
  });

  test('a variable or an output that does not exist is found', () => {
    const files =
      'variable "size" {\n  type = object({\n    zones = list(string)\n  })\n}\noutput "database" {}\n';
    const page = [
      'Set in `terraform.tfvars` `size = "small"`, `sizes = 1`, `zones = ["a"]` or `var.sise`, and see `terraform output databases`.',
      '```sh\nTF_VAR_siz=small terraform -chdir=terraform/edge plan -var size=small\n```',
    ].join('\n\n');
    const wrong = namesIn(page).filter((name) => !isDeclared(name, files));
    expect(wrong.sort()).toEqual(['databases', 'sise', 'siz', 'sizes']);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { pageSettings } from '../../provider/config/settings-pages.ts';
import { samplePages } from './sample-pages.ts';

const doc = readFileSync('docs/pages.md', 'utf8');
const source = ['view-models.ts', 'account/view-models.ts', 'device-view-models.ts', 'view-values.ts']
  .map((file) => readFileSync(`provider/interactions/${file}`, 'utf8'))
  .join('\n');

/** The members of an interface and of its base interfaces. Optional members end with `?`. */
function membersOf(name: string): string[] {
  const found = new RegExp(
    `interface ${name}(?: extends (?<base>\\w+))? \\{\\n(?<body>[\\s\\S]*?)\\n\\}`,
  ).exec(source);
  const { base, body = '' } = found?.groups ?? {};
  const own = [...body.matchAll(/^ {2}(\w+\??):/gm)].map(([, member = '']) => member);
  return [...(base === undefined ? [] : membersOf(base)), ...own];
}

const [, table = ''] = /export interface ViewModels \{\n([\s\S]*?)\n\}/.exec(source) ?? [];
const views = [...table.matchAll(/^ {2}'?([\w-]+)'?: (\w+View);$/gm)].map(([, view = '', model = '']) => ({
  view,
  members: membersOf(model),
}));

describe('docs/pages.md', () => {
  test('views are found', () => {
    expect(views.length).toBeGreaterThan(6);
  });

  test.each(views)('lists exactly the values of $view', ({ view, members }) => {
    const row = doc.split('\n').find((line) => line.startsWith(`| \`${view}\` |`)) ?? '';
    const told = row.replace(/\([^)]*\)/g, '').matchAll(/`([^`]+)`/g);
    expect([...told].slice(1).map(([, name]) => name)).toEqual(members);
    expect(doc).toContain(`\`${view}.eta\``);
  });

  test.each(Object.values(pageSettings))('shows $name', ({ name }) => {
    expect(doc).toContain(name);
  });

  test('has examples that work as described', () => {
    for (const [, json = ''] of doc.matchAll(/```json\n([\s\S]*?)```/g))
      expect(() => JSON.parse(json)).not.toThrow();
    const shown = [...doc.matchAll(/^(GATEHOUSE_\w+)='?([^'#\n]*[^'#\s]|#\w+)'?/gm)];
    expect(shown.length).toBeGreaterThan(10);
    for (const [, name, value = ''] of shown) {
      const setting = Object.values(pageSettings).find((each) => each.name === name);
      expect({ name, value, ok: setting?.schema.safeParse(value).success }).toEqual({
        name,
        value,
        ok: true,
      });
    }
  });
});

test('every view has a sample page, which the tests of all pages use', () => {
  const sampled = new Set<string>(Object.values(samplePages).map(({ view }) => view));
  expect(views.map(({ view }) => view).filter((view) => !sampled.has(view))).toEqual([]);
});

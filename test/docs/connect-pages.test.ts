import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { demoAccessModel } from '../../provider/bin/demo.ts';
import {
  describeClientProblem,
  parseClientDocuments,
} from '../../provider/clients/parse-client-documents.ts';
import { knownClaims } from '../../provider/config/token-budget.ts';
import { blocksOf } from '../support/page-blocks.ts';

const folder = 'docs/connect';
const read = (file: string) => readFileSync(file, 'utf8');
const namesIn = (where: string, ending: string) =>
  readdirSync(where)
    .filter((file) => file.endsWith(ending) && file !== 'README.md')
    .map((file) => file.slice(0, -ending.length));

const pages = namesIn(folder, '.md').map((name) => ({ name, text: read(`${folder}/${name}.md`).trim() }));
const tests = namesIn('test/connect', '.test.ts');
const lastLine = (text: string) => text.split('\n').at(-1) ?? '';
const run = /^Run with .* by `test\/connect\/([\w.-]+)\.test\.ts`\.$/;
const notRun = /^Not run here: from the documentation of .+\.$/;

/** The cells of the rows of the first table, by the file that their first cell links to. */
const table =
  read(`${folder}/README.md`)
    .split('\n\n')
    .find((part) => part.startsWith('| client |')) ?? '';
const rows = table
  .split('\n')
  .slice(2)
  .filter((line) => line !== '')
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
const linked = rows.map(([client = '']) => /\]\(([\w.-]+)\.md\)/.exec(client)?.[1] ?? '');

describe('the pages about clients', () => {
  test('the table has one row for each page, in the order of the alphabet', () => {
    expect([...linked].sort()).toEqual(pages.map(({ name }) => name).sort());
    const labels = rows.map(([client = '']) => (/\[([^\]]+)\]/.exec(client)?.[1] ?? '').toLowerCase());
    expect(labels).toEqual([...labels].sort());
    expect(rows.filter((cells) => cells.length !== 7 || cells.includes(''))).toEqual([]);
  });

  test.each(pages)(
    '$name says at its end whether it is run, and the table says the same',
    ({ name, text }) => {
      const end = lastLine(text);
      expect(end).toMatch(new RegExp(`${run.source}|${notRun.source}`));
      expect(rows[linked.indexOf(name)]?.at(-1)).toBe(run.test(end) ? 'yes' : 'no');
      if (run.test(end)) expect(tests).toContain(run.exec(end)?.[1]);
    },
  );

  test.each(pages)('$name has a client document and a configuration, and is short', ({ text }) => {
    const [document, ...others] = blocksOf(text);
    expect(document?.language).toBe('yaml');
    expect(others.length).toBeGreaterThan(0);
    expect(text.split('\n').length).toBeLessThan(110);
  });

  test.each(pages)('the client documents of $name have no problem', ({ name, text }) => {
    const model = demoAccessModel('https://api.example.com');
    const apis = model.apis.map(({ scopes, ...api }) => ({
      ...api,
      scopes: scopes.map((scope) => scope.name),
    }));
    const document = parse(blocksOf(text)[0]?.text ?? '');
    const raw = (document.clients ?? [document]).map((value: unknown) => ({ origin: `${name}.md`, value }));
    const claims = knownClaims(model, 'https://auth.example.com');
    const parsed = parseClientDocuments(raw, apis, { deviceFlow: true, claims });
    expect(parsed.ok ? [] : parsed.problems.map(describeClientProblem)).toEqual([]);
  });

  test('every test of a client has its page', () => {
    const tested = pages.flatMap(({ text }) => run.exec(lastLine(text))?.[1] ?? []);
    expect([...new Set(tested)].sort()).toEqual([...tests].sort());
  });

  /** Manifests say the version exactly, so that a page can say what was run. */
  test.each(pages.filter(({ text }) => run.test(lastLine(text))))(
    '$name names a version that is installed for its test',
    ({ name, text }) => {
      const apps = `test/connect/apps/${name}`;
      if (!existsSync(apps)) return;
      const version = /\d+\.\d+(\.\d+)?/.exec(lastLine(text))?.[0] ?? 'no version';
      const files = readdirSync(apps, { withFileTypes: true }).filter((file) => file.isFile());
      expect(files.map((file) => read(`${apps}/${file.name}`)).join('\n')).toContain(version);
    },
  );

  test('the quick group names tests that exist', () => {
    const quick = read('test/connect/quick.txt').trim().split(/\s+/);
    expect(quick.filter((name) => !tests.includes(name))).toEqual([]);
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rowTitles, testTitles } from './test-titles.ts';

const page = readFileSync('docs/security.md', 'utf8');

const states = ['met', 'met by the operator', "doesn't apply", 'not yet'];

interface Row {
  id: string;
  asks: string;
  state: string;
  where: string;
  shown: string;
}

const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** Every row of the tables whose first column is `id`. */
function readRows(text: string): Row[] {
  const rows: Row[] = [];
  let inside = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('| id |')) inside = true;
    else if (!line.startsWith('|')) inside = false;
    else if (inside && !line.startsWith('|---')) {
      const [id = '', asks = '', state = '', where = '', shown = '', ...more] = cellsOf(line);
      if (more.length > 0) throw new Error(`${id} has more than five cells`);
      rows.push({ id, asks, state, where, shown });
    }
  }
  return rows;
}

/** The path of a file that the page names. Names are relative to `provider/`, to `test/` or to the repository. */
const fileOf = (name: string) =>
  [join('provider', name), join('test', name), name].find((place) => existsSync(place));

const isFile = (text: string) => /^[\w./-]+\.(ts|eta|md|json|yaml)$/.test(text);
const filesIn = (cell: string) =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '').filter(isFile);

/** The quoted titles, each with the last file before it. */
function quotesIn(cell: string): { file: string; title: string }[] {
  const quotes: { file: string; title: string }[] = [];
  let file = '';
  for (const [, code, title] of cell.matchAll(/`([^`]+)`|"([^"]+)"/g)) {
    if (code !== undefined && isFile(code)) file = code;
    if (title !== undefined) quotes.push({ file, title });
  }
  return quotes;
}

/** The titles of the tests in a file of the page. */
async function titlesIn(name: string): Promise<Set<string>> {
  const path = fileOf(name) ?? '';
  if (!path.startsWith('test/flows/bad-input/')) return testTitles(path);
  return rowTitles((await import(join(process.cwd(), path))) as Record<string, unknown>);
}

const rows = readRows(page);
const isTest = (file: string) => fileOf(file)?.startsWith('test/') ?? false;

describe('docs/security.md', () => {
  test('has the required points, each once', () => {
    expect(rows.length).toBeGreaterThan(180);
    for (const { id, asks } of rows)
      expect([id, asks]).toEqual([expect.stringMatching(/^\d+\.\d/), expect.stringMatching(/\S/)]);
    const keys = rows.map(({ id, asks }) => `${id}: ${asks}`);
    expect(keys).toHaveLength(new Set(keys).size);
    const asvs = rows.flatMap(({ id }) => id.match(/^\d+\.\d+\.\d+(?= \(|, | to )/g) ?? []);
    expect(asvs).toHaveLength(new Set(asvs).size);
    for (const chapter of [
      '2.4',
      '3.3',
      '3.4',
      '3.5',
      '6.1',
      '6.2',
      '6.3',
      '6.4',
      '7.1',
      '7.2',
      '7.3',
      '7.4',
      '7.5',
    ])
      expect(asvs.filter((id) => id.startsWith(`${chapter}.`))).not.toEqual([]);
  });

  test('every row has a state and a reason or a test', () => {
    for (const { id, state, shown } of rows) {
      expect([id, states]).toEqual([id, expect.arrayContaining([state])]);
      expect([id, shown]).toEqual([id, expect.stringMatching(/\S/)]);
    }
  });

  test('every row with the state met names its code and its test', () => {
    for (const { id, asks, where, shown } of rows.filter(({ state }) => state === 'met')) {
      const code = filesIn(where);
      expect([id, asks, code]).toEqual([id, asks, expect.arrayContaining([expect.any(String)])]);
      expect([id, code.filter(isTest)]).toEqual([id, []]);
      const isShown = filesIn(shown).some(isTest) || /^as \d/.test(shown);
      expect([id, asks, isShown]).toEqual([id, asks, true]);
    }
  });

  test('every named file exists', () => {
    const named = [...page.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text ?? '').filter(isFile);
    const missing = named.filter((name) => !fileOf(name));
    expect([...new Set(missing)]).toEqual([]);
    expect(named.length).toBeGreaterThan(300);
  });

  test('a title is that of a test, not of a group, a comment or a message', () => {
    const titles = testTitles('test/http/client-address.test.ts');
    expect(titles).toContain('accepts an address with a zone in a chain');
    expect(titles).toContain('reads X-Forwarded-For %j from a proxy as %s');
    expect(titles).toContain('reads X-Forwarded-For "198.51.100.7" from a proxy as 198.51.100.7');
    for (const other of [
      'clientAddress',
      'accepts an address',
      "An element that can't be read ends the chain.",
    ])
      expect(titles).not.toContain(other);
  });

  test('every quote is the whole title of a test in its file', async () => {
    const quotes = rows.flatMap(({ id, shown }) => quotesIn(shown).map((quote) => ({ id, ...quote })));
    expect(quotes.length).toBeGreaterThan(150);
    const titles = new Map<string, Set<string>>();
    for (const { file } of quotes) if (!titles.has(file)) titles.set(file, await titlesIn(file));
    expect(quotes.filter(({ file, title }) => !titles.get(file)?.has(title))).toEqual([]);
  });
});

test('SECURITY.md says how to report a vulnerability and which versions get fixes', () => {
  const policy = readFileSync('SECURITY.md', 'utf8');
  expect(policy).toContain('Report a\nvulnerability');
  expect(policy).toContain('| version | fixes |');
  expect(policy).toContain('docs/security.md');
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from '@jest/globals';
import { codeIn, repositoryFiles as files, pages, shellLinesIn } from './markdown-pages.ts';

const folders = new Set(
  files.flatMap((path) => path.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/'))),
);
const paths = [...files, ...folders].map((path) => `/${path}`);
const topFolders = [...folders].filter((path) => path !== '' && !path.includes('/'));

/** Names for a whole kind of file, and files in the folder of a user. */
const notInTheRepository = ['x.ts', 'types.ts', 'test/contract/x.ts', '.gatehouse/'];

/**
 * Files and folders that a page names. They have an ending of source code or documents, or a slash at the end, or a folder
 * of the repository at the beginning.
 */
function namedIn(text: string): string[] {
  const words = codeIn(text).filter((code) => /^[\w.][\w./-]*$/.test(code));
  return [
    ...words.filter((name) => /\.(ts|js|md|css)$|\/$/.test(name) || inTopFolder(name)),
    ...shellLinesIn(text)
      .flatMap((line) => line.split(/[\s='"<>|;&()]+/))
      .filter(inTopFolder),
  ];
}

const inTopFolder = (name: string) =>
  /^[\w.][\w./-]*\/[\w.-]/.test(name) && topFolders.includes(name.split('/')[0] ?? '');

/** The end of a path is enough, as in `oidc/grants/`. */
const isThere = (page: string, name: string) => {
  const wanted = name.replace(/\/$/, '');
  return (
    paths.some((path) => path.endsWith(`/${wanted}`)) ||
    existsSync(join(dirname(page), wanted)) ||
    isIgnored(wanted) ||
    isBeginning(wanted)
  );
};

/** Whether git ignores it: users or commands make it. */
function isIgnored(path: string): boolean {
  try {
    execFileSync('git', ['check-ignore', '--quiet', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The tests of a folder or file can be chosen by the beginning of their paths, as in `test/docs/paths`. */
const isBeginning = (path: string) =>
  path.startsWith('test/') && files.some((file) => file.startsWith(`${path}.`));

interface Link {
  path: string;
  heading: string;
}

/** The links of a page to files of this repository. */
const linksIn = (text: string): Link[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ path: target.split('#')[0] ?? '', heading: target.split('#')[1] ?? '' }));

/** The ids that GitHub gives to the headings of a page. */
const headingsOf = (text: string) =>
  [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\-_ ]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );

function isGoodLink(page: string, text: string, { path, heading }: Link): boolean {
  const target = path === '' ? page : normalize(join(dirname(page), path)).replace(/\/$/, '');
  if (!files.includes(target) && !folders.has(target)) return false;
  if (heading === '') return true;
  return headingsOf(path === '' ? text : readFileSync(target, 'utf8')).includes(heading);
}

test('names of files and folders are found in the pages', () => {
  expect(pages.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['README.md', 'docs/design.md', 'provider/README.md']),
  );
  expect(namedIn(readFileSync('provider/README.md', 'utf8')).length).toBeGreaterThan(30);
  expect(isThere('README.md', 'oidc/grants/')).toBe(true);
  expect(isThere('README.md', 'oidc/grants/none.ts')).toBe(false);
  expect(namedIn('1. See\n\n   ```sh\n   psql --file=charts/gatehouse/none.sql\n   ```\n')).toEqual([
    'charts/gatehouse/none.sql',
  ]);
  expect(isThere('README.md', 'charts/gatehouse/none.sql')).toBe(false);
  expect(isThere('README.md', 'build/provider/bin/cli.js')).toBe(true);
  expect(isThere('README.md', 'test/docs/pathz')).toBe(false);
});

test('a link to a file or heading that does not exist is found', () => {
  const text =
    '# Here it is\n\n[a](#here-it-is) [b](#here) [c](docs/none.md) [d](docs/tokens.md#refresh-tokens)';
  const good = linksIn(text).map((link) => isGoodLink('README.md', text, link));
  expect(good).toEqual([true, false, false, false]);
  expect(isGoodLink('docs/keys.md', '', { path: 'tokens.md', heading: 'refresh-token' })).toBe(true);
});

test.each(pages)('$path names only files and folders that exist', ({ path: page, text }) => {
  const missing = namedIn(text).filter((name) => !notInTheRepository.includes(name) && !isThere(page, name));
  expect(missing).toEqual([]);
});

test.each(pages)('$path links only to files and headings that exist', ({ path, text }) => {
  expect(linksIn(text).filter((link) => !isGoodLink(path, text, link))).toEqual([]);
});

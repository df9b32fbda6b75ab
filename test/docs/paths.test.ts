import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));
const folders = new Set(
  files.flatMap((path) => path.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/'))),
);
const paths = [...files, ...folders].map((path) => `/${path}`);

/** The pages that describe the code as it is. The changelog and the decisions also describe the past. */
const pages = files.filter((path) => path.endsWith('.md') && !/^CHANGELOG|^docs\/decisions\//.test(path));

/** Names for a whole kind of file, and files in the folder of a user. */
const notInTheRepository = ['x.ts', 'types.ts', 'test/contract/x.ts', '.gatehouse/'];

/** Files and folders that a page names. The end of a path is enough, as in `oidc/grants/`. */
function namedIn(text: string): string[] {
  const quoted = [...text.matchAll(/`([^`\n]+)`|\]\(([^)#:\n]+)\)/g)].map(
    ([, code, link]) => code ?? link ?? '',
  );
  return quoted.filter((name) => /^[\w.][\w./-]*$/.test(name) && /\.(ts|js|md|css)$|\/$/.test(name));
}

const isThere = (page: string, name: string) => {
  const wanted = name.replace(/\/$/, '');
  return paths.some((path) => path.endsWith(`/${wanted}`)) || existsSync(join(dirname(page), wanted));
};

test('names of files and folders are found in the pages', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/design.md', 'provider/README.md']));
  expect(namedIn(readFileSync('provider/README.md', 'utf8')).length).toBeGreaterThan(30);
  expect(isThere('README.md', 'oidc/grants/')).toBe(true);
  expect(isThere('README.md', 'oidc/grants/none.ts')).toBe(false);
});

test.each(pages)('%s names only files and folders that exist', (page) => {
  const missing = namedIn(readFileSync(page, 'utf8')).filter(
    (name) => !notInTheRepository.includes(name) && !isThere(page, name),
  );
  expect(missing).toEqual([]);
});

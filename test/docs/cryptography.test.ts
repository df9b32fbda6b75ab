import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readProduct } from '../support/architecture/sources.ts';

const product = readProduct();

/** An algorithm as the code names it: in a text, or as a function or library that has only one. */
const algorithm =
  /'(?<text>sha-?\d+|md\d|(?:aes|des|chacha\w*)-[\w-]+|[RPE]S\d{3}|HS\d{3}|EdDSA|Ed\d+|RSA-\w+)'|\b(?<call>hkdf|pbkdf2|scrypt)(?:Sync)?\(|(?:from |import\()'@node-rs\/(?<library>argon2|bcrypt)'/gi;

/** Each algorithm that the code names, with the files that name it. */
function named(): Map<string, Set<string>> {
  const files = new Map<string, Set<string>>();
  for (const { path, code } of product)
    for (const { groups } of code.matchAll(algorithm)) {
      const name = groups?.text ?? groups?.call ?? groups?.library ?? '';
      files.set(name, (files.get(name) ?? new Set()).add(path));
    }
  return files;
}

/** The names in the first column of the table of algorithms. */
function listed(): string[] {
  const [, table = ''] =
    readFileSync('docs/security.md', 'utf8')
      .split('| algorithm, as the code names it |')[1]
      ?.split(/---\|\n/) ?? [];
  const rows = table.split('\n\n')[0] ?? '';
  return rows.split('\n').flatMap((row) => {
    const [, first = ''] = row.split('|');
    return [...first.matchAll(/`(?<name>[^`]+)`/g)].map(({ groups }) => groups?.name ?? '');
  });
}

test('docs/security.md lists every algorithm that the code names, and no other', () => {
  expect(listed().length).toBeGreaterThan(10);
  expect([...new Set(listed())].sort()).toEqual([...named().keys()].sort());
});

/** Where other systems decided about the algorithm, and nothing depends on its strength. */
const allowed = ['accounts/import/', 'lib/password-filter.ts'];

test('SHA-1 and unauthenticated encryption are only in the check of imported hashes and in breach lists', () => {
  for (const [name, paths] of named())
    if (/^(sha-?1|md\d|.*-(ctr|cbc|ecb))$/i.test(name))
      expect([name, [...paths].filter((path) => !allowed.some((place) => path.startsWith(place)))]).toEqual([
        name,
        [],
      ]);
});

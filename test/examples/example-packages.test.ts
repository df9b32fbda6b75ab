import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readSources } from '../support/architecture/sources.ts';

interface Manifest {
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const read = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8'));
const allOf = ({ dependencies, devDependencies }: Manifest) => ({ ...devDependencies, ...dependencies });

/** The examples run with the libraries of this repository. A copy gets those that its own package.json names. */
const tested: Record<string, string> = {
  ...allOf(read('package.json')),
  '@gatehouse/verify': read('packages/verify/package.json').version ?? '',
};
const folders = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `examples/${name}`);
const services = folders.filter((folder) => readdirSync(folder).includes('package.json'));

test('there are three examples with a package.json', () => {
  expect(services.sort()).toEqual([
    'examples/contract-service',
    'examples/event-consumer',
    'examples/user-service',
  ]);
});

describe.each(services)('%s', (folder) => {
  const sources = readSources(folder);
  const packagesIn = (typeOnly: boolean) =>
    sources
      .flatMap(({ imports }) => imports)
      .filter((one) => !one.specifier.startsWith('.') && !one.specifier.startsWith('node:'))
      .filter((one) => one.typeOnly === typeOnly)
      .map(({ specifier }) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '');

  test('names the versions that the tests use', () => {
    const named = allOf(read(`${folder}/package.json`));
    expect(Object.entries(named).filter(([name, version]) => tested[name] !== version)).toEqual([]);
  });

  test('names every package that it imports, and no other', () => {
    const { dependencies = {} } = read(`${folder}/package.json`);
    expect([...new Set(packagesIn(false))].sort()).toEqual(Object.keys(dependencies).sort());
    expect(packagesIn(true).filter((name) => !(name in dependencies))).toEqual([]);
  });

  test('can be copied: it imports nothing from outside its folder', () => {
    const outside = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => specifier.startsWith('../'))
        .map(({ specifier }) => [path, specifier]),
    );
    expect(outside).toEqual([]);
  });
});

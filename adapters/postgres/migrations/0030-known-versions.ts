import type { Migration } from './migration.ts';

/**
 * The token version for which a place of sign-ins is known. A row that the last release wrote has none; its place is known
 * again after the next sign-in.
 */
export const knownVersions: Migration = {
  name: '0030-known-versions',
  up: (sql) => sql('alter table limits add column known_for integer'),
};

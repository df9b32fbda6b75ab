import { describe, expect, test } from '@jest/globals';
import { boundaryRules } from './support/architecture/fences.ts';
import { layerRules } from './support/architecture/layers.ts';
import { shapeRules } from './support/architecture/shape.ts';
import { parseSource, readProduct, readSources } from './support/architecture/sources.ts';

const rules = [...layerRules, ...boundaryRules, ...shapeRules];
const sources = readProduct();

const lines = (count: number) => 'export const a = 1;\n'.repeat(count);
const methods = (count: number) => Array.from({ length: count }, (_, i) => `  m${i}(): void;\n`).join('');

type Files = Record<string, string>;

/** For each rule, invented files that break this rule and no other. */
const breaches: [rule: string, files: Files][] = [
  ['every folder has its place', { 'attic/box.ts': '' }],
  ['the product stands alone', { 'oidc/a.ts': "import { b } from '../../test/support/b.ts';" }],
  ['imports point down', { 'lib/a.ts': "import { b } from '../ports/b.ts';" }],
  ['imports point down', { 'ports/a.ts': "import type { B } from '../config/b.ts';" }],
  ['imports point down', { 'keys/a.ts': "export { b } from '../http/b.ts';\nlet c = 1;" }],
  ['imports point down', { 'adapters/redis/a.ts': "import type { B } from '../../provider/config/b.ts';" }],
  ['siblings import types only', { 'oidc/a.ts': "import { b, type B } from '../accounts/b.ts';" }],
  ['siblings import types only', { 'oidc/a.ts': "const b = await import('../accounts/b.ts');" }],
  ['of config only the types', { 'rate-limits/a.ts': "import { type A, b } from '../config/b.ts';" }],
  [
    'only two files of compose import adapters',
    { 'bin/serve.ts': "import { B } from '../../adapters/redis/b.ts';" },
  ],
  [
    'only two files of compose import adapters',
    { 'oidc/a.ts': "import type { B } from '../../adapters/redis/b.ts';" },
  ],
  ['adapters never import each other', { 'adapters/redis/a.ts': "import { B } from '../postgres/b.ts';" }],
  ['the lowest layers need next to nothing', { 'lib/a.ts': "import koa from 'koa';" }],
  ['the lowest layers need next to nothing', { 'ports/a.ts': "import type { z } from 'zod';" }],
  ['knex only in adapters/postgres/', { 'accounts/a.ts': "import type { Knex } from 'knex';" }],
  ['pg only in adapters/postgres/', { 'adapters/embedded/a.ts': "import { Pool } from 'pg';" }],
  [
    '@electric-sql/pglite only in adapters/embedded/',
    { 'adapters/postgres/a.ts': "import { PGlite } from '@electric-sql/pglite';" },
  ],
  ['ioredis only in adapters/redis/', { 'rate-limits/a.ts': "import { Redis } from 'ioredis';" }],
  ['@aws-sdk only in adapters/aws/', { 'keys/a.ts': "import { C } from '@aws-sdk/client-kms';" }],
  ['@smithy only in adapters/aws/', { 'keys/a.ts': "import { C } from '@smithy/types';" }],
  ['nodemailer only in adapters/smtp/', { 'accounts/a.ts': "import { createTransport } from 'nodemailer';" }],
  ['hibp only in adapters/pwned-passwords/', { 'accounts/a.ts': "import { pwnedPassword } from 'hibp';" }],
  [
    '@kubernetes/client-node only in adapters/kubernetes/',
    { 'clients/a.ts': "import * as k8s from '@kubernetes/client-node';" },
  ],
  [
    '@node-rs/argon2 only in accounts/passwords.ts',
    { 'accounts/a.ts': "import { hash } from '@node-rs/argon2';" },
  ],
  [
    '@node-rs/bcrypt only in accounts/import/foreign-hash.ts',
    { 'accounts/passwords.ts': "import { verify } from '@node-rs/bcrypt';" },
  ],
  ['argon2 only in accounts/passwords.ts', { 'accounts/a.ts': "import { hash } from 'argon2';" }],
  [
    '@simplewebauthn/server only in accounts/webauthn.ts',
    { 'accounts/a.ts': "import { verifyAuthenticationResponse } from '@simplewebauthn/server';" },
  ],
  ['oidc-provider only in oidc/, interactions/', { 'http/a.ts': "import { P } from 'oidc-provider';" }],
  [
    'oidc-provider/lib only in oidc/patches/internals.ts',
    { 'oidc/a.ts': "const b = await import('oidc-provider/lib/helpers/b.js');" },
  ],
  ['pino only in lib/logger.ts', { 'http/a.ts': "import { pino } from 'pino';" }],
  ['prom-client only in lib/metrics.ts', { 'http/a.ts': "import { Gauge } from 'prom-client';" }],
  [
    '@opentelemetry only in lib/tracing-sdk.ts',
    { 'http/a.ts': "import { trace } from '@opentelemetry/api';" },
  ],
  ['SQL stays in its adapter', { 'accounts/a.ts': "const q = 'SELECT id FROM accounts';" }],
  ["Postgres' error codes stay in their adapter", { 'accounts/a.ts': "if (e.code === '23505') retry();" }],
  ['Redis scripts stay in their adapter', { 'rate-limits/a.ts': "const s = `redis.call('GET', KEYS[1])`;" }],
  ["AWS' error names stay in their adapter", { 'keys/a.ts': "e.name === 'ResourceNotFoundException'" }],
  ['the environment is read in one place', { 'bin/a.ts': 'const level = process.env.LEVEL;' }],
  ['the environment is read in one place', { 'bin/a.ts': "import { env } from 'node:process';" }],
  ['the environment is read in one place', { 'bin/a.ts': 'const { env } = process;' }],
  ['the time comes from the clock', { 'keys/a.ts': 'const now = Date.now();' }],
  ['the time comes from the clock', { 'keys/a.ts': 'const now = new Date().toISOString();' }],
  ['no default exports', { 'keys/a.ts': 'export default 1;' }],
  ['no default exports', { 'keys/a.ts': 'const a = 1;\nexport { a as default };' }],
  ['no object literal is spread', { 'keys/a.ts': `const a = make({ ${'...'}{ keys, faild } });` }],
  ['no barrels', { 'keys/a.ts': "/** All. */\nexport * from './b.ts';\nexport { c } from './c.ts';\n" }],
  [
    'no cycles',
    {
      'keys/a.ts': "import { b } from './b.ts';",
      'keys/b.ts': "import { c } from './c.ts';",
      'keys/c.ts': "import type { a } from './a.ts';",
    },
  ],
  ['at most 300 lines a file', { 'keys/a.ts': lines(301) }],
  ['names say what is inside', { 'keys/key-utils.ts': '' }],
  ['names say what is inside', { 'keys/types.ts': '' }],
  ['names say what is inside', { 'keys/keySet.ts': '' }],
  ['ports have at most 8 methods', { 'ports/a.ts': `export interface A {\n${methods(9)}}\n` }],
];

/** Invented files that nearly break the rules, but obey them. */
const allowed: Files = {
  'lib/clock.ts': 'export const now = () => Date.now();',
  'lib/logger.ts': "import { pino } from 'pino';\nimport { hostname } from 'node:os';",
  'ports/a.ts': `import { b } from '../lib/clock.ts';\nexport interface A {\n  readonly name: string;\n${methods(8)}}\n`,
  'config/load.ts': "import { z } from 'zod';\nexport const env = process.env;",
  'keys/a.ts': [
    "import type { S } from '../config/load.ts';",
    "import type { Accounts } from '../accounts/accounts.ts';",
    "import { type T } from '../config/load.ts';",
    "import { b } from './b.ts';",
    "export * from './b.ts';",
    '// Date.now() and process.env are read elsewhere.',
    'const at = new Date(b).toISOString();',
    "const said = 'Select an account from the list';",
  ].join('\n'),
  'keys/b.ts': lines(300),
  'adapters/postgres/a.ts':
    "import knex from 'knex';\nimport { b } from './b.ts';\nconst q = 'DELETE FROM a';",
  'adapters/postgres/b.ts': "import type { A } from '../../provider/ports/a.ts';",
  'compose/adapters.ts': "import { a } from '../../adapters/postgres/a.ts';",
  'http/a.ts': "import { a } from '../keys/a.ts';",
  'oidc/patches/internals.ts': "import { a } from 'oidc-provider/lib/helpers/a.js';",
};

const parse = (files: Files) => Object.entries(files).map(([path, text]) => parseSource(path, text));

describe('the product obeys the rules', () => {
  test('source files are found', () => {
    expect(sources.map(({ path }) => path)).toContain('lib/clock.ts');
    expect(sources.find(({ path }) => path === 'ports/unit-of-work.ts')?.imports).toHaveLength(17);
  });

  test.each(rules)('$name', ({ name, because, violations }) => {
    const found = violations(sources);
    const report = found.map((line) => `  ${line}`).join('\n');
    if (found.length > 0) throw new Error(`${name}, because ${because}:\n${report}`);
  });
});

test('the package for services imports nothing of the product, and no library but jose', () => {
  const files = readSources('packages/verify/src');
  const foreign = files.flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier, target }) =>
        target === undefined ? specifier !== 'jose' : target.startsWith('..'),
      )
      .map(({ specifier }) => `${path}: ${specifier}`),
  );
  expect(files.map(({ path }) => path)).toContain('verifier.ts');
  expect(foreign).toEqual([]);
});

test.each(['test', 'examples', 'packages'])('no file in %s/ spreads an object literal', (folder) => {
  const found = readSources(folder).flatMap(({ path, code }) => (/\.{3}\{/.test(code) ? [path] : []));
  expect(found).toEqual([]);
});

test('no file in examples/ has more than 300 lines', () => {
  const long = readSources('examples').filter(({ text }) => text.split('\n').length > 301);
  expect(long.map(({ path }) => path)).toEqual([]);
});

describe('the rules', () => {
  test.each(breaches)('%s: the invented file breaks it (%#)', (rule, files) => {
    const broken = rules.filter(({ violations }) => violations(parse(files)).length > 0);
    expect(broken.map(({ name }) => name)).toEqual([rule]);
  });

  test('each rule has an invented file that breaks it', () => {
    const seen = new Set(breaches.map(([rule]) => rule));
    expect(rules.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
  });

  test('allowed files break no rule', () => {
    expect(
      rules.flatMap(({ name, violations }) => violations(parse(allowed)).map((v) => `${name}: ${v}`)),
    ).toEqual([]);
  });
});

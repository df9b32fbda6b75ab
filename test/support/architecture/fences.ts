import { importRule, isAllowed, patternRule, type Rule } from './rule.ts';

interface Fence {
  library: string;
  /** Files, and folders (with `/`), that may import it. */
  within: string[];
  because: string;
}

const product = 'one adapter uses a product, so that its failures, types and versions stay there';
const oneHash = 'one file decides how passwords are hashed, what a hash costs and how many run in parallel';

const fences: Fence[] = [
  { library: 'knex', within: ['adapters/postgres/'], because: product },
  { library: 'pg', within: ['adapters/postgres/'], because: product },
  { library: '@electric-sql/pglite', within: ['adapters/embedded/'], because: product },
  { library: 'ioredis', within: ['adapters/redis/'], because: product },
  { library: '@aws-sdk', within: ['adapters/aws/'], because: product },
  { library: '@smithy', within: ['adapters/aws/'], because: product },
  { library: 'nodemailer', within: ['adapters/smtp/'], because: product },
  { library: 'hibp', within: ['adapters/pwned-passwords/'], because: product },
  { library: '@kubernetes/client-node', within: ['adapters/kubernetes/'], because: product },
  { library: '@node-rs/argon2', within: ['accounts/passwords.ts'], because: oneHash },
  { library: '@node-rs/bcrypt', within: ['accounts/import/foreign-hash.ts'], because: oneHash },
  { library: 'argon2', within: ['accounts/passwords.ts'], because: oneHash },
  {
    library: '@simplewebauthn/server',
    within: ['accounts/webauthn.ts'],
    because: 'one file decides what a passkey must prove',
  },
  {
    library: 'oidc-provider',
    within: ['oidc/', 'interactions/'],
    because: 'the protocol library implements the protocol, not our accounts, clients and keys',
  },
  {
    library: 'oidc-provider/lib',
    within: ['oidc/patches/internals.ts'],
    because: 'its internals change without notice, and then only one file has to be checked',
  },
  { library: 'pino', within: ['lib/logger.ts'], because: 'one file decides what is kept out of logs' },
  { library: 'prom-client', within: ['lib/metrics.ts'], because: 'one file names all metrics' },
  {
    library: '@opentelemetry',
    within: ['lib/tracing-sdk.ts'],
    because: 'one file loads it, and only if traces are on',
  },
];

const isOf = (specifier: string, library: string) =>
  specifier === library || specifier.startsWith(`${library}/`);

const fenceRules: Rule[] = fences.map(({ library, within, because }) =>
  importRule(`${library} only in ${within.join(', ')}`, because, ({ path }, { specifier }) =>
    isOf(specifier, library) && !isAllowed(path, within) ? `imports ${specifier}` : undefined,
  ),
);

const leakRules: Rule[] = [
  patternRule(
    'SQL stays in its adapter',
    'tables and columns can then change in one place, and no other code can forget a parameter',
    /['"`]\s*SELECT\s|\b(SELECT\s.*\bFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|(CREATE|ALTER|DROP)\s+TABLE)\b/,
    ['adapters/postgres/', 'adapters/embedded/'],
  ),
  patternRule(
    "Postgres' error codes stay in their adapter",
    'ports have their own errors, otherwise the code above them would work on one store only',
    /['"`](08\d{3}|23\d{3}|40001|40P01|53\d{3}|55P03|57014|57P0\d)['"`]/,
    ['adapters/postgres/', 'adapters/embedded/'],
  ),
  patternRule(
    'Redis scripts stay in their adapter',
    'keys, hash tags and scripts belong together, otherwise one of them will cross slots on a cluster',
    /\bredis\.p?call\s*\(|['"`](CROSSSLOT|NOSCRIPT|READONLY|WRONGTYPE|MOVED|LOADING)\b/,
    ['adapters/redis/'],
  ),
  patternRule(
    "AWS' error names stay in their adapter",
    'ports have their own errors, otherwise keys and events would work on AWS only',
    /['"`]\w+Exception['"`]/,
    ['adapters/aws/'],
  ),
];

export const boundaryRules: Rule[] = [...fenceRules, ...leakRules];

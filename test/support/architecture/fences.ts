import { importRule, isAllowed, patternRule, type Rule } from './rule.ts';

interface Fence {
  library: string;
  /** Files, and folders (with `/`), that may import it. */
  within: string[];
  because: string;
}

const product = 'a product is spoken to in one adapter, so that its failures, types and versions stay there';
const oneHash = 'one file decides how passwords are hashed, how much that costs and how many run at once';

const fences: Fence[] = [
  { library: 'knex', within: ['adapters/postgres/'], because: product },
  { library: 'pg', within: ['adapters/postgres/'], because: product },
  { library: '@electric-sql/pglite', within: ['adapters/embedded/'], because: product },
  { library: 'ioredis', within: ['adapters/redis/'], because: product },
  { library: '@aws-sdk', within: ['adapters/aws/'], because: product },
  { library: '@smithy', within: ['adapters/aws/'], because: product },
  { library: '@kubernetes/client-node', within: ['adapters/kubernetes/'], because: product },
  { library: '@node-rs/argon2', within: ['accounts/passwords.ts'], because: oneHash },
  { library: '@node-rs/bcrypt', within: ['accounts/import/foreign-hash.ts'], because: oneHash },
  { library: 'argon2', within: ['accounts/passwords.ts'], because: oneHash },
  {
    library: 'oidc-provider',
    within: ['oidc/', 'interactions/'],
    because:
      'the protocol library is an implementation of the protocol, not of our accounts, clients and keys',
  },
  {
    library: 'oidc-provider/lib',
    within: ['oidc/patches/internals.ts'],
    because: 'its internals change without notice: one file has to be looked at when they do',
  },
  { library: 'pino', within: ['lib/logger.ts'], because: 'one file decides what is kept out of logs' },
  { library: 'prom-client', within: ['lib/metrics.ts'], because: 'one file names all metrics' },
  {
    library: '@opentelemetry',
    within: ['lib/tracing-sdk.ts'],
    because: 'it is loaded only when traces are wanted, by one file',
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
    'tables and columns may change in one place only, and nobody else can forget a parameter',
    /['"`]\s*SELECT\s|\b(SELECT\s.*\bFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|(CREATE|ALTER|DROP)\s+TABLE)\b/,
    ['adapters/postgres/', 'adapters/embedded/'],
  ),
  patternRule(
    "Postgres' error codes stay in their adapter",
    'ports say what happened in their own words, or code above them would work on one store only',
    /['"`](08\d{3}|23\d{3}|40001|40P01|53\d{3}|55P03|57014|57P0\d)['"`]/,
    ['adapters/postgres/', 'adapters/embedded/'],
  ),
  patternRule(
    'Redis scripts stay in their adapter',
    'keys, hash tags and scripts belong together, or one of them will cross slots on a cluster',
    /\bredis\.p?call\s*\(|['"`](CROSSSLOT|NOSCRIPT|READONLY|WRONGTYPE|MOVED|LOADING)\b/,
    ['adapters/redis/'],
  ),
  patternRule(
    "AWS' error names stay in their adapter",
    'ports say what happened in their own words, or keys and events would work on AWS only',
    /['"`]\w+Exception['"`]/,
    ['adapters/aws/'],
  ),
];

export const boundaryRules: Rule[] = [...fenceRules, ...leakRules];

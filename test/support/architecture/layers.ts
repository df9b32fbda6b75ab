import { importRule, type Rule } from './rule.ts';
import { adapterOf, layerOf } from './sources.ts';

const secondLevel = [
  'oidc',
  'interactions',
  'json-api',
  'accounts',
  'clients',
  'keys',
  'rate-limits',
  'events',
  'revocation',
  'doctor',
  'operator',
];

/** The layers that each layer may import besides itself. Adapters have separate rules. */
const below: Record<string, readonly string[]> = {
  lib: [],
  ports: ['lib'],
  config: ['lib'],
  ...Object.fromEntries(secondLevel.map((layer) => [layer, ['ports', 'config', 'lib']])),
  adapters: ['ports', 'lib'],
  http: [...secondLevel, 'ports', 'config', 'lib'],
  compose: ['http', ...secondLevel, 'ports', 'config', 'lib', 'adapters'],
  bin: ['compose', 'http', ...secondLevel, 'ports', 'config', 'lib'],
};

/** The only libraries that the lowest layers may import. */
const libraries: Record<string, readonly string[]> = {
  lib: [
    ...['pino', 'prom-client', 'zod', '@opentelemetry/api', '@opentelemetry/core'],
    ...['@opentelemetry/exporter-trace-otlp-proto', '@opentelemetry/resources'],
    '@opentelemetry/sdk-trace-base',
  ],
  ports: [],
  config: ['zod', 'yaml'],
};

const known: Rule = {
  name: 'every folder has its place',
  because: 'a folder outside the table of layers could import anything: add it to the table',
  violations: (files) =>
    files
      .filter(({ path }) => below[layerOf(path)] === undefined || !path.includes('/'))
      .map(({ path }) => `${path}: ${layerOf(path)} is no layer`),
};

const inside = importRule(
  'the product stands alone',
  'production code must not depend on tests or tools',
  (_file, { target }) => (target?.startsWith('..') ? `imports ${target}, outside of the product` : undefined),
);

const down = importRule(
  'imports point down',
  'a layer that is independent of the layers above it can be read, tested and replaced alone',
  (file, { target }) => {
    if (target === undefined || target.startsWith('..')) return undefined;
    const [from, to] = [layerOf(file.path), layerOf(target)];
    if (from === to || to === 'adapters' || bothSecond(from, to)) return undefined;
    return below[from]?.includes(to) ? undefined : `${from} imports ${target}`;
  },
);

const bothSecond = (from: string, to: string) => secondLevel.includes(from) && secondLevel.includes(to);

const siblings = importRule(
  'siblings import types only',
  'a type leads a reader to the implementation; a value would tie the modules together, and compose/ could not wire them differently',
  ({ path }, { target, typeOnly }) => {
    const [from, to] = [layerOf(path), layerOf(target ?? '')];
    return from !== to && bothSecond(from, to) && !typeOnly
      ? `${from} imports a value from its sibling ${target}`
      : undefined;
  },
);

const configTypes = importRule(
  'of config only the types',
  'compose/compose.ts reads settings once and passes them on, so that the code that uses them can be tested with any settings',
  ({ path }, { target, typeOnly }) =>
    secondLevel.includes(layerOf(path)) && layerOf(target ?? '') === 'config' && !typeOnly
      ? `imports more than types from ${target}`
      : undefined,
);

/** One opens connections and secrets, the other creates the ports on them. */
const adapterImporters = ['compose/adapters.ts', 'compose/connections.ts'];

const adaptersImported = importRule(
  'only two files of compose import adapters',
  'all other code uses ports, otherwise a product could not be replaced in one place',
  ({ path }, { target }) =>
    layerOf(target ?? '') === 'adapters' && layerOf(path) !== 'adapters' && !adapterImporters.includes(path)
      ? `imports ${target}`
      : undefined,
);

const adaptersApart = importRule(
  'adapters never import each other',
  'each is one product behind the ports; shared code belongs in a port or in lib',
  ({ path }, { target }) =>
    layerOf(path) === 'adapters' &&
    layerOf(target ?? '') === 'adapters' &&
    adapterOf(path) !== adapterOf(target ?? '')
      ? `imports ${target}, of another adapter`
      : undefined,
);

const fewLibraries = importRule(
  'the lowest layers need next to nothing',
  'every file depends on them, so each of their libraries would be a library of every file',
  ({ path }, { specifier, target }) => {
    const allowed = libraries[layerOf(path)];
    if (target !== undefined || allowed === undefined || specifier.startsWith('node:')) return undefined;
    return allowed.includes(specifier) ? undefined : `${layerOf(path)} imports ${specifier}`;
  },
);

export const layerRules: Rule[] = [
  known,
  inside,
  down,
  siblings,
  configTypes,
  adaptersImported,
  adaptersApart,
  fewLibraries,
];

import { expect, test } from '@jest/globals';
import { type ChartValue, readChartValues } from '../../../provider/bin/chart/values-file.ts';
import { renderFile, type Tree } from './helm.ts';

const leaves = (values: ChartValue[]): ChartValue[] =>
  values.flatMap((value) => (value.children === undefined ? [value] : leaves(value.children)));

/** Values that have an effect only with another one, which `all-values.yaml` does not have. */
const conditions: Record<string, Tree> = {
  'serve.replicas': { serve: { autoscaling: { enabled: false } } },
  'service.nodePort': { service: { type: 'NodePort' } },
  'migration.database.passwordRef': {
    migration: { database: { existingSecret: { keys: { password: '' } } } },
  },
  'migration.database.url': { migration: { database: { existingSecret: { keys: { url: '' } } } } },
  'database.url': { database: { existingSecret: { keys: { url: '', password: 'password' } } } },
  'database.passwordRef': { database: { existingSecret: { keys: { password: '' } } } },
  'redis.url': { redis: { existingSecret: { keys: { url: '' } } } },
  'redis.passwordRef': { redis: { existingSecret: { keys: { password: '' } } } },
  'serverSecrets.ref': { serverSecrets: { existingSecret: { name: '' } } },
  'keys.secretRef': { keys: { existingSecret: { name: '' } } },
};

/** Other values than a default one, where a simple change would mean nothing or break the template. */
const others: Record<string, unknown> = {
  'keys.store': 'secretsmanager:keys',
  'migration.mode': 'none',
  'service.type': 'NodePort',
  'metrics.prometheusRule.disabledAlerts': ['GatehouseDown'],
  apis: [],
  clients: [],
  'httpRoute.rules': [{ backendRefs: [{ name: 'other', port: 80 }] }],
  'httpRoute.parentRefs': [{ name: 'other' }],
  'ingress.hosts': [{ host: 'other.example.com', paths: [{ path: '/', pathType: 'Prefix' }] }],
  extraObjects: [{ kind: 'Other' }],
  'networkPolicy.egress.databasePorts': [5433],
  'networkPolicy.egress.redisPorts': [6380],
  'networkPolicy.egress.kubernetesPorts': [8443],
};

function another(value: ChartValue): unknown {
  const { path, default: current } = value;
  if (path in others) return others[path];
  if (typeof current === 'boolean') return !current;
  if (typeof current === 'number') return current + 1;
  if (typeof current === 'string') return 'another';
  if (Array.isArray(current)) return [{ name: 'another' }];
  return { ...(current as object), another: 'one' };
}

const nested = (path: string, value: unknown): Tree =>
  path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Tree;

function merged(left: Tree, right: Tree): Tree {
  const result = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const both = [result[key], value].every((side) => typeof side === 'object' && !Array.isArray(side));
    result[key] = both ? merged(result[key] as Tree, value as Tree) : value;
  }
  return result;
}

const renderAll = (values: Tree) =>
  renderFile('test/chart/rendered/all-values.yaml', values, '--skip-schema-validation');

test('every value is used by a template: another one changes what is rendered', () => {
  const plain = renderAll({});
  expect(plain.error).toBe('');
  const dead = leaves(readChartValues()).filter((value) => {
    const condition = conditions[value.path] ?? {};
    const before = value.path in conditions ? renderAll(condition) : plain;
    // A file of values has booleans where `all-values.yaml` switched them on.
    const isOn =
      typeof value.default === 'boolean' && renderAll(nested(value.path, value.default)).text !== before.text;
    const after = renderAll(merged(condition, nested(value.path, another(value))));
    return !isOn && after.status === 0 && after.text === before.text;
  });
  expect(dead.map(({ path }) => path)).toEqual([]);
}, 300_000);

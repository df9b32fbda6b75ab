import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readChartValues } from '../../provider/bin/chart/values-file.ts';
import { renderChartReadme } from '../../provider/bin/chart/values-readme.ts';
import { renderValuesSchema } from '../../provider/bin/chart/values-schema.ts';

const file = `# The head of the file is no description.

# ## Servers
#
# What servers are.

# How many.
# @schema {"minimum": 1}
replicas: 2
pods:
  # Who they are.
  name: ''
  # @schema {"additionalProperties": {"type": "string"}}
  labels: {}
# ## Rest

# @schema {"items": {"type": "string"}}
hosts: []
`;

test('reads values with headings, descriptions and schemas from comments', () => {
  const [replicas, pods, hosts] = readChartValues(file);
  expect(replicas).toEqual({
    path: 'replicas',
    heading: 'Servers',
    introduction: 'What servers are.',
    description: 'How many.',
    schema: { minimum: 1 },
    default: 2,
  });
  expect(pods?.children?.map(({ path, description }) => [path, description])).toEqual([
    ['pods.name', 'Who they are.'],
    ['pods.labels', ''],
  ]);
  expect(hosts).toMatchObject({ heading: 'Rest', description: '' });
});

test('the schema is closed at every level, and knows what umbrella charts pass', () => {
  const schema = JSON.parse(renderValuesSchema(readChartValues(file)));
  expect(schema).toMatchObject({
    additionalProperties: false,
    properties: {
      replicas: { type: 'integer', minimum: 1, description: 'How many.' },
      pods: {
        additionalProperties: false,
        properties: { name: { type: 'string' }, labels: { additionalProperties: { type: 'string' } } },
      },
      hosts: { type: 'array', items: { type: 'string' } },
      global: { type: 'object' },
      enabled: { type: 'boolean' },
    },
  });
});

test('the README has a table for each section', () => {
  const readme = renderChartReadme(readChartValues(file));
  expect(readme).toContain('## Servers\n\nWhat servers are.\n\n| value | what it does | default |');
  expect(readme).toContain('| `replicas` | How many. | `2` |');
  expect(readme).toContain('| `pods.labels` |  | `{}` |');
});

test.each([
  ['a list without items', 'hosts: []\n', 'hosts needs @schema with items'],
  [
    'a mapping without a schema',
    'pods:\n  labels: {}\n',
    'pods.labels needs @schema with additionalProperties',
  ],
  ['no default', 'name:\n', 'name has no default'],
  ['a broken schema', '# @schema {minimum: 1}\nreplicas: 1\n', 'replicas: @schema must be followed by JSON'],
])('refuses %s', (_what, text, complaint) => {
  expect(() => readChartValues(text)).toThrow(complaint);
});

test('chart and package have one version', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const chart = parse(readFileSync('charts/gatehouse/Chart.yaml', 'utf8'));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});

test('no value of the chart is a place for a secret', () => {
  const leaves = (values: ReturnType<typeof readChartValues>): string[] =>
    values.flatMap(({ path, children }) => (children ? leaves(children) : [path]));
  const suspicious = leaves(readChartValues()).filter((path) =>
    /password|secret|token/i.test(path.split('.').at(-1) ?? ''),
  );
  // Names of keys of a Secret, references, and lists of names of Secrets.
  expect(suspicious).toEqual([
    'imagePullSecrets',
    'database.passwordRef',
    'database.existingSecret.keys.password',
    'redis.passwordRef',
    'redis.existingSecret.keys.password',
    'serverSecrets.existingSecret.keys.secrets',
    'keys.secretRef',
    'keys.existingSecret.keys.secret',
    'serve.serviceAccount.automountServiceAccountToken',
    'worker.serviceAccount.automountServiceAccountToken',
    'operator.serviceAccount.automountServiceAccountToken',
    'migration.database.passwordRef',
    'migration.database.existingSecret.keys.password',
    'migration.serviceAccount.automountServiceAccountToken',
    'keyRotation.serviceAccount.automountServiceAccountToken',
    'tests.signIn.existingSecret.keys.password',
  ]);
});

import { expect, test } from '@jest/globals';
import { render, type Tree } from './helm.ts';

/** Values that cannot work, and the sentence that says what to set. */
const wrong: [what: string, ci: 'small' | 'large' | 'gateway', values: Tree, sentence: string][] = [
  ['no image', 'small', { image: { repository: '' } }, 'image.repository is empty'],
  ['no issuer', 'small', { issuer: '' }, 'issuer is empty'],
  ['no database', 'large', { database: { url: '' } }, 'database has no URL: set database.url'],
  ['two URLs', 'small', { database: { url: 'postgres://db/a' } }, 'database has two URLs'],
  [
    'two passwords',
    'small',
    { database: { passwordRef: 'env:A', existingSecret: { keys: { password: 'b' } } } },
    'database has two passwords',
  ],
  [
    'keys of no Secret',
    'large',
    { redis: { existingSecret: { keys: { url: 'url' } } } },
    'redis.existingSecret.keys names keys of no Secret',
  ],
  [
    'a Secret without keys',
    'large',
    { database: { existingSecret: { name: 'a' } } },
    'database.existingSecret is not used',
  ],
  ['a password of no Redis', 'small', { redis: { passwordRef: 'env:A' } }, 'redis has no URL'],
  [
    'an owner without a URL',
    'small',
    { migration: { database: { passwordRef: 'env:A' } } },
    'migration.database has no URL',
  ],
  ['no server secrets', 'large', { serverSecrets: { ref: '' } }, 'serverSecrets is empty'],
  ['two server secrets', 'small', { serverSecrets: { ref: 'env:A' } }, 'serverSecrets has two sources'],
  ['no keys', 'large', { keys: { store: '' } }, 'keys.store is empty'],
  [
    'keys in Postgres in clear text',
    'small',
    { keys: { existingSecret: { name: '' } } },
    'nothing encrypts the keys',
  ],
  [
    'a secret for keys that need none',
    'large',
    { keys: { secretRef: 'env:A' } },
    'are for keys.store=postgres: only',
  ],
  ['two secrets for keys', 'small', { keys: { secretRef: 'env:A' } }, 'keys has two secrets'],
  ['two clients files', 'large', { settings: { GATEHOUSE_CLIENTS_FILE: '/a' } }, 'keep one'],
  ['two APIs files', 'large', { settings: { GATEHOUSE_APIS_FILE: '/a' } }, 'keep one'],
  ['roles without APIs', 'small', { roles: { A: ['b'] } }, 'roles without apis'],
  ['claims without APIs', 'small', { claims: { team: { scope: 'profile' } } }, 'claims without apis'],
  [
    'a minimum above the maximum',
    'large',
    { serve: { autoscaling: { minReplicas: 30 } } },
    'is above maxReplicas',
  ],
  [
    'percent of nothing',
    'large',
    { serve: { resources: { requests: { cpu: null } } } },
    'set serve.resources.requests.cpu',
  ],
  [
    'a hook with an account of the chart',
    'large',
    { migration: { serviceAccount: { create: true } } },
    'migration.mode=hook runs before',
  ],
  [
    'an init container with an account',
    'small',
    { migration: { serviceAccount: { name: 'a' } } },
    'uses the ServiceAccounts of serve and worker',
  ],
  ['two rotations', 'small', { settings: { GATEHOUSE_KEYS_ROTATE_DAYS: 90 } }, 'keys would be rotated twice'],
  [
    'a load balancer that is not trusted',
    'small',
    { trustedProxies: [] },
    'trustedProxies is empty behind a load balancer',
  ],
  ['no target group', 'large', { targetGroupBinding: { targetGroupARN: '' } }, 'targetGroupARN is empty'],
  [
    'a route without a Gateway',
    'gateway',
    { httpRoute: { parentRefs: [] } },
    'httpRoute.parentRefs is empty',
  ],
  [
    'a target group of no route',
    'gateway',
    { httpRoute: { enabled: false } },
    'targetGroupConfiguration is for httpRoute',
  ],
  [
    'a node port of a ClusterIP',
    'small',
    { service: { nodePort: 30080 } },
    'service.nodePort needs service.type',
  ],
  [
    'an idle time above ours',
    'small',
    {
      ingress: {
        annotations: {
          'alb.ingress.kubernetes.io/load-balancer-attributes': 'a=b,idle_timeout.timeout_seconds=120',
        },
      },
    },
    'Gatehouse closes an idle connection after 65 seconds',
  ],
  [
    'alerts without runbooks',
    'large',
    { metrics: { prometheusRule: { runbookUrl: '' } } },
    'runbookUrl is empty',
  ],
  [
    'half of a test account',
    'large',
    { tests: { signIn: { redirectUri: '' } } },
    'tests.signIn needs all of',
  ],
];

test.each(wrong)('%s fails with a sentence', (_what, ci, values, sentence) => {
  const { status, error } = render(ci, values);
  expect(error).toContain('These values cannot work:');
  expect(error).toContain(sentence);
  expect(status).not.toBe(0);
});

test('all problems are listed at once', () => {
  const { error } = render('small', { issuer: '', image: { repository: '' }, trustedProxies: [] });
  expect(error.match(/^- /gm)).toHaveLength(3);
});

test.each<[string, Tree, string]>([
  ['a misspelt key', { serve: { replica: 3 } }, "'replica' not allowed"],
  ['a misspelt key at the top', { isuer: 'https://a.example' }, "'isuer' not allowed"],
  ['an unknown setting', { settings: { GATEHOUSE_SIGNUPS: true } }, "'GATEHOUSE_SIGNUPS' not allowed"],
  [
    'a setting that the chart sets',
    { settings: { GATEHOUSE_JOBS: 'serve' } },
    "'GATEHOUSE_JOBS' not allowed",
  ],
  ['a client document with an error', { clients: [{ id: 'app', nam: 'App' }] }, "'nam' not allowed"],
  ['an issuer with a slash at its end', { issuer: 'https://login.example.com/' }, "'/issuer'"],
  ['a password in a URL', { database: { url: 'postgres://a:secret@db/a' } }, "'/database/url'"],
  ['keys in a file', { keys: { store: 'file:/keys.json' } }, "'/keys/store'"],
])('the schema refuses %s', (_what, values, complaint) => {
  const { status, error } = render('small', values);
  expect(error).toContain(complaint);
  expect(status).not.toBe(0);
});

test('the schema accepts what an umbrella chart passes', () => {
  expect(render('small', { global: { any: { thing: 1 } }, enabled: true })).toMatchObject({ status: 0 });
});

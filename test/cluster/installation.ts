import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../support/wait-for.ts';
import { apply, helm, kubectl, namespace, run } from './tools.ts';

const folder = import.meta.dirname;
const chart = join(folder, '../../charts/gatehouse');

/** The two versions of the image, as `repository:tag`. */
export const images = {
  first: process.env.GATEHOUSE_IMAGE ?? 'gatehouse:dev',
  next: process.env.GATEHOUSE_NEXT_IMAGE ?? 'gatehouse:next',
};

/** False while the image has no `gatehouse operator`. */
export const hasOperator = process.env.CLUSTER_TEST_OPERATOR !== 'false';

export const person = { email: 'ann@example.com', password: randomBytes(18).toString('base64url') };

/** A namespace that enforces the restricted Pod Security standard. */
export async function makeNamespace(): Promise<void> {
  const enforce = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: enforce } });
}

/** Postgres with two users, and Redis. */
export async function startStores(passwords: { owner: string; servers: string }): Promise<void> {
  await apply(readFileSync(join(folder, 'stores.yaml'), 'utf8'));
  await kubectl('rollout', 'status', 'statefulset/postgres', '--timeout=180s');
  await kubectl('rollout', 'status', 'statefulset/redis', '--timeout=180s');
  const variables = [`owner_password=${passwords.owner}`, `password=${passwords.servers}`].flatMap(
    (variable) => ['--set', variable],
  );
  const psql = [
    'psql',
    '--host=127.0.0.1',
    '--username=postgres',
    '--quiet',
    '--set=ON_ERROR_STOP=1',
    ...variables,
  ];
  const env = ['env', 'PGPASSWORD=administrator'];
  await run('kubectl', ['--namespace', namespace, 'exec', '-i', 'postgres-0', '--', ...env, ...psql], {
    input: readFileSync(join(chart, 'files/database-users.sql'), 'utf8'),
  });
}

/** The Secrets that the values name. The chart makes none. */
export async function makeSecrets(passwords: { owner: string; servers: string }): Promise<void> {
  const random = () => randomBytes(36).toString('base64');
  const secret = (name: string, stringData: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    stringData,
  });
  await apply(
    secret('database', { password: passwords.servers }),
    secret('database-owner', { password: passwords.owner }),
    secret('server-secrets', { 'server-secrets': random(), 'keys-secret': random() }),
    secret('account', person),
  );
}

/** `helm upgrade --install` with an image, and waits until every pod is the new one. */
export async function install(image: string, ...more: string[]): Promise<void> {
  const [repository, tag] = image.split(':');
  const set = `image.repository=${repository},image.tag=${tag},operator.enabled=${hasOperator}`;
  const options = ['--values', join(folder, 'values.yaml'), '--set', set, '--wait', '--timeout', '5m'];
  await helm('upgrade', '--install', 'gatehouse', chart, ...options, ...more);
  await allNew();
}

/** Waits until all Deployments are rolled out and no pod of an older one is left. */
export async function allNew(): Promise<void> {
  for (const name of await deployments()) await kubectl('rollout', 'status', name, '--timeout=300s');
  await waitFor(async () => !(await kubectl('get', 'pods', '-o', 'json')).includes('"deletionTimestamp"'), {
    timeoutMs: 180_000,
    intervalMs: 1000,
    what: 'the end of the old pods',
  });
}

export async function deployments(): Promise<string[]> {
  return (await kubectl('get', 'deployments', '-o', 'name')).split('\n').filter(Boolean);
}

/** The names of the pods of a component that run and do not end. */
export async function pods(component: string): Promise<string[]> {
  const { items } = JSON.parse(
    await kubectl('get', 'pods', '-l', `app.kubernetes.io/component=${component}`, '-o', 'json'),
  ) as { items: { metadata: { name: string; deletionTimestamp?: string }; status: { phase: string } }[] };
  return items
    .filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && status.phase === 'Running')
    .map(({ metadata }) => metadata.name);
}

/** Runs `gatehouse …` in a server's pod. */
export async function gatehouse(args: string[], input = ''): Promise<string> {
  const command = [
    '--namespace',
    namespace,
    'exec',
    '-i',
    'deployment/gatehouse-serve',
    '-c',
    'gatehouse',
    '--',
  ];
  return (await run('kubectl', [...command, 'gatehouse', ...args], { input })).stdout.trim();
}

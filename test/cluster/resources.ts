import { waitFor } from '../support/wait-for.ts';
import { person } from './installation.ts';
import { fetchIssuer, issuer, signIn } from './outside.ts';
import { apply, expect, kubectl, namespace, run, say } from './tools.ts';

/** Applies an OIDCClient, waits for its Secret, and signs in with it. */
export async function clientByResource(): Promise<void> {
  const redirectUri = 'http://localhost:18090/callback';
  await apply({
    apiVersion: 'gatehouse.dev/v1alpha1',
    kind: 'OIDCClient',
    metadata: { name: 'shop' },
    spec: { name: 'The Shop', redirectUris: [redirectUri], scopes: ['openid', 'offline_access'] },
  });
  await kubectl('wait', '--for=condition=Ready', 'oidcclient/shop', '--timeout=60s');
  say((await kubectl('get', 'oidcclient', 'shop')).replaceAll(/^/gm, '   '));
  const secretName = await kubectl('get', 'oidcclient', 'shop', '-o', 'jsonpath={.status.secretName}');
  const { data } = JSON.parse(await kubectl('get', 'secret', secretName, '-o', 'json')) as {
    data: Record<string, string>;
  };
  const value = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  const app = {
    id: value('client_id'),
    secret: value('client_secret'),
    redirectUri,
    scope: 'openid offline_access',
  };
  // The servers read the change within seconds.
  const tokens = await waitFor(() => signIn(app, person), {
    timeoutMs: 60_000,
    intervalMs: 1000,
    what: 'a sign-in',
  });
  expect(tokens.id_token.split('.').length === 3, 'no id token');
}

interface KeySet {
  keys: { kid: string }[];
}

/** Starts a Job of the CronJob, and waits until every server publishes one more key. */
export async function rotateByCronJob(): Promise<void> {
  const read = async () =>
    ((await (await fetchIssuer(`${issuer}/.well-known/jwks.json`)).json()) as KeySet).keys.length;
  const before = await read();
  await kubectl('create', 'job', 'rotate-now', '--from=cronjob/gatehouse-key-rotation');
  await kubectl('wait', '--for=condition=Complete', 'job/rotate-now', '--timeout=120s');
  say(`   ${(await kubectl('logs', 'job/rotate-now')).trim()}`);
  await waitFor(
    async () => {
      const counts = await Promise.all(Array.from({ length: 6 }, read));
      return counts.every((count) => count === before + 1);
    },
    { timeoutMs: 180_000, intervalMs: 2000, what: 'the new key in every server' },
  );
  await kubectl('delete', 'job', 'rotate-now');
}

/** What a ServiceAccount may do, as lines of `kubectl auth can-i --list`. */
async function rights(account: string): Promise<string[]> {
  const who = `--as=system:serviceaccount:${namespace}:${account}`;
  const list = await kubectl('auth', 'can-i', '--list', '--no-headers', who);
  return list.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '));
}

/**
 * The accounts of public pods and of jobs may do no more than every account: ask about themselves, and read the API's
 * description of itself. The operator has the rights that it needs, and no others.
 */
export async function publicPodsMayNothing(hasOperator: boolean): Promise<void> {
  const everyone = new Set(await rights('nobody'));
  const beyond = async (account: string) => (await rights(account)).filter((line) => !everyone.has(line));
  for (const account of ['gatehouse-serve', 'gatehouse-worker', 'gatehouse-key-rotation', 'default']) {
    const found = await beyond(account);
    say(`   ${account}: ${found.join('; ') || 'may do nothing'}`);
    expect(found.length === 0, `${account} has rights: ${found.join('; ')}`);
  }
  const mounted = await kubectl('get', 'pods', '-l', 'app.kubernetes.io/component=serve', '-o', 'json');
  expect(!mounted.includes('serviceAccountToken'), 'a server has a token for the Kubernetes API');
  if (!hasOperator) return;
  const found = await beyond('gatehouse-operator');
  for (const line of found) say(`   gatehouse-operator: ${line}`);
  const resources = found.map((line) => line.split(' ')[0]).sort();
  const needed = [
    'events',
    'leases.coordination.k8s.io',
    'oidcclients.gatehouse.dev',
    'oidcclients.gatehouse.dev/status',
    'secrets',
  ];
  expect(resources.join() === needed.join(), `the operator has rights for ${resources.join()}`);
}

/** Pod Security refuses a pod that is not restricted; the chart's pods run, so they are. */
export async function restrictedIsEnforced(): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'loose' },
    spec: { containers: [{ name: 'loose', image: 'gatehouse:dev', securityContext: { privileged: true } }] },
  };
  const { status, stderr } = await run(
    'kubectl',
    ['--namespace', namespace, 'apply', '--dry-run=server', '--filename', '-'],
    { input: JSON.stringify(pod), check: false },
  );
  expect(status !== 0 && stderr.includes('violates PodSecurity'), `a privileged pod was accepted: ${stderr}`);
}

import { waitFor } from '../support/wait-for.ts';
import { allNew, hasOperator, images, install, person, pods } from './installation.ts';
import { fetchIssuer, issuer, portal, refresh, signIn } from './outside.ts';
import { expect, helm, kubectl, run, say } from './tools.ts';
import { startTraffic, withoutFailure } from './traffic.ts';

/** Deletes the pod of a store, and looks what Gatehouse does meanwhile and after it. */
export async function restartStore(name: string): Promise<void> {
  const before = await signIn(portal, person);
  const servers = await pods('serve');
  const traffic = await startTraffic(person, 2);
  await kubectl('delete', 'pod', `${name}-0`, '--wait=true');
  await kubectl('rollout', 'status', `statefulset/${name}`, '--timeout=120s');
  const healthy = () => fetchIssuer(`${issuer}/.well-known/jwks.json`).then(({ status }) => status === 200);
  await waitFor(healthy, { timeoutMs: 60_000, intervalMs: 500, what: 'an answer' });
  const after = await waitFor(() => refresh(portal, before.refresh_token), {
    timeoutMs: 60_000,
    intervalMs: 500,
    what: 'a refresh with the token from before',
  });
  await refresh(portal, after.refresh_token);
  const { requests, failures } = await traffic.stop();
  const kinds = new Set(failures.map((failure) => failure.replace(/^\S+ /, '').slice(0, 60)));
  say(`   ${requests} requests, ${failures.length} failed while ${name} was away: ${[...kinds].join('; ')}`);
  expect((await pods('serve')).join() === servers.join(), 'a server was restarted because a store was');
  await withoutFailure(person, async () => void (await signIn(portal, person)));
}

/** One node only: one server is evicted, the budget protects the other, and both are back afterwards. */
export async function drainAsFarAsOneNodeAllows(): Promise<void> {
  const node = await kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}');
  const selector = '--pod-selector=app.kubernetes.io/component=serve';
  await kubectl('cordon', node);
  try {
    const drain = await run('kubectl', ['drain', node, selector, '--timeout=60s', '--delete-emptydir-data'], {
      check: false,
    });
    expect(drain.status !== 0, 'the only node was drained of every server');
    expect(`${drain.stdout}${drain.stderr}`.includes('disruption budget'), drain.stderr);
    const left = await pods('serve');
    say(`   the budget kept ${left.join(', ')}`);
    expect(left.length === 1, `${left.length} servers are left`);
  } finally {
    await kubectl('uncordon', node);
  }
  await allNew();
}

/** Uninstalls, looks what is left, and installs again on it. */
export async function uninstall(): Promise<void> {
  await helm('uninstall', 'gatehouse', '--wait');
  const kinds =
    'deployments,pods,services,jobs,cronjobs,configmaps,serviceaccounts,networkpolicies,poddisruptionbudgets';
  await waitFor(
    async () =>
      (await kubectl('get', kinds, '-l', 'app.kubernetes.io/instance=gatehouse', '-o', 'name')) === '',
    { timeoutMs: 120_000, intervalMs: 1000, what: 'the end of all objects of the release' },
  );
  const secrets = await kubectl('get', 'secrets', '-o', 'name');
  for (const name of ['database', 'database-owner', 'server-secrets'])
    expect(secrets.includes(`secret/${name}`), `the Secret ${name} is gone`);
  if (hasOperator) {
    expect(await kubectl('get', 'oidcclient', 'shop', '-o', 'name'), 'the OIDCClient is gone');
    expect(secrets.includes('shop-oidc'), 'the Secret of the OIDCClient is gone');
  }
  await install(images.first);
  const tokens = await signIn(portal, person);
  expect(tokens.id_token, 'nobody can sign in after a new installation');
}

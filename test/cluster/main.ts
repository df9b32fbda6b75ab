/**
 * `make cluster-test`: installs Gatehouse in a real Kubernetes and breaks what can break. Needs kubectl, helm, Chromium and
 * a KUBECONFIG, see README.md in this folder. Each step is printed; the first one that fails ends the test.
 */
import { randomBytes } from 'node:crypto';
import { waitFor } from '../support/wait-for.ts';
import { signInWithBrowser } from './browser.ts';
import { drainAsFarAsOneNodeAllows, restartStore, uninstall } from './incidents.ts';
import {
  allNew,
  deployments,
  gatehouse,
  hasOperator,
  images,
  install,
  makeNamespace,
  makeSecrets,
  person,
  pods,
  startStores,
} from './installation.ts';
import { portal, startFront } from './outside.ts';
import {
  clientByResource,
  publicPodsMayNothing,
  restrictedIsEnforced,
  rotateByCronJob,
} from './resources.ts';
import { expect, helm, kubectl, namespace, run, say, step } from './tools.ts';
import { startTraffic, withoutFailure } from './traffic.ts';

const isShort = process.env.CLUSTER_TEST_SHORT === 'true';
const password = () => randomBytes(18).toString('base64url');
const passwords = { owner: password(), servers: password() };

/** Runs `helm test`, and prints what its pod prints. The pod is gone at the end. */
async function testFromInside(): Promise<void> {
  const tested = helm('test', 'gatehouse');
  await waitFor(() => kubectl('get', 'pod', 'gatehouse-test', '-o', 'name'), {
    timeoutMs: 30_000,
    what: 'the pod',
  });
  await kubectl('wait', '--for=condition=Ready', 'pod/gatehouse-test', '--timeout=60s').catch(() => {});
  say((await kubectl('logs', '--follow', 'pod/gatehouse-test')).replaceAll(/^/gm, '   '));
  await tested;
}

/** What goes wrong in the life of an installation, under traffic. */
async function breakThings(): Promise<void> {
  await step('helm rollback under traffic', () =>
    withoutFailure(person, async () => {
      await helm('rollback', 'gatehouse', '--wait', '--timeout', '5m');
      await allNew();
    }),
  );
  await step('An upgrade after the number of servers was changed by another hand', () =>
    withoutFailure(person, async () => {
      await install(images.first, '--set', 'serve.autoscaling.enabled=true,serve.autoscaling.minReplicas=2');
      await kubectl('scale', 'deployment/gatehouse-serve', '--replicas=3');
      await allNew();
      await install(images.next, '--set', 'serve.autoscaling.enabled=true,serve.autoscaling.minReplicas=2');
      expect((await pods('serve')).length === 3, 'the upgrade changed the number of servers');
      await install(images.next);
    }),
  );
  await step('A server is killed under traffic: another one takes over', async () => {
    const [victim = ''] = await pods('serve');
    const traffic = await startTraffic(person);
    await kubectl('delete', 'pod', victim, '--grace-period=0', '--force');
    await allNew();
    const { requests, failures } = await traffic.stop();
    say(`   ${requests} requests, ${failures.length} failed at the killed process`);
    expect(failures.length <= 10, failures.slice(0, 20).join('\n'));
  });
  await step('A server is deleted in order under traffic', () =>
    withoutFailure(person, async () => {
      const [victim = ''] = await pods('serve');
      await kubectl('delete', 'pod', victim);
      await allNew();
    }),
  );
  await step('The node is drained, as far as one node allows', () =>
    withoutFailure(person, drainAsFarAsOneNodeAllows),
  );
  await step('Redis restarts', () => restartStore('redis'));
  await step('Postgres restarts', () => restartStore('postgres'));
}

async function main(): Promise<void> {
  const stopFront = await startFront();
  try {
    if (!hasOperator) say('LEFT OUT: everything about the operator (CLUSTER_TEST_OPERATOR=false)');
    await step('A namespace that enforces Pod Security "restricted"', makeNamespace);
    await step('Postgres with two users, and Redis', () => startStores(passwords));
    await step('The Secrets that the values name', () => makeSecrets(passwords));
    await step('helm install: the migration first, then servers, workers and the operator', () =>
      install(images.first),
    );
    await step('An account', async () => {
      await gatehouse(
        ['accounts', 'create', '--email', person.email, '--role', 'CLIENT', '--verified'],
        person.password,
      );
    });
    await step('helm test: password sign-in and code flow from inside', testFromInside);
    await step('Sign-in from outside, with a browser', async () => {
      const tokens = await signInWithBrowser(portal, person);
      expect(tokens.refresh_token, 'no refresh token');
    });
    if (hasOperator) await step('kubectl apply of an OIDCClient, and a sign-in with it', clientByResource);
    await step('Keys rotated by the CronJob', rotateByCronJob);
    await step('Rights: a public pod can do nothing', () => publicPodsMayNothing(hasOperator));
    await step('Pod Security "restricted" is enforced', restrictedIsEnforced);
    await step('helm upgrade to a new version under traffic', () =>
      withoutFailure(person, () => install(images.next)),
    );
    if (isShort)
      say('\nLEFT OUT: rollback, scaling, killed pods, drain, restarts of stores (CLUSTER_TEST_SHORT=true)');
    else await breakThings();
    await step(
      'helm uninstall leaves Secrets, resources and data, and a new installation finds them',
      uninstall,
    );
    say(`\nAll steps passed. Deployments at the end: ${(await deployments()).join(', ')}`);
  } catch (error) {
    say(`\nFAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    for (const what of [
      ['get', 'all'],
      ['get', 'events', '--sort-by=.lastTimestamp'],
      ['logs', '-l', 'app.kubernetes.io/instance=gatehouse', '--all-containers', '--tail=20', '--prefix'],
    ])
      say((await run('kubectl', ['--namespace', namespace, ...what], { check: false })).stdout.slice(-6000));
    process.exitCode = 1;
  } finally {
    stopFront();
  }
}

await main();

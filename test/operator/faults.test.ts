import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { digestOf } from '../../provider/operator/secret-plan.ts';
import { atOnce } from '../support/at-once.ts';
import { withCluster } from '../support/kubernetes.ts';
import type { Program } from '../support/program.ts';
import { waitFor } from '../support/wait-for.ts';
import { type OperatorDeployment, openOperatorDeployment } from './operator-deployment.ts';

const web = { name: 'Shop', redirectUris: ['https://shop.example.com/callback'], scopes: ['openid'] };
const single = { ...web, auth: 'none' };

await withCluster('the operator when something fails', (cluster) => {
  let at: OperatorDeployment;
  beforeEach(async () => {
    at = await openOperatorDeployment(cluster());
  });
  afterEach(() => at.close());

  const client = (name: string) => at.ports.clients.find(`${at.namespace}.${name}`);
  const isInUse = async (name: string, title: string) => (await client(name))?.document.name === title;
  const isGone = async (name: string) => (await at.resource(name)) === undefined;

  test('a resource can be deleted while Postgres is down, and its client follows when Postgres is back', async () => {
    const operator = await at.start();
    await at.apply('kept', web);
    await at.apply('removed', web);
    await at.condition('kept', 'Ready', 'InUse');
    await at.condition('removed', 'Ready', 'InUse');
    at.postgres.shut();
    await at.remove('removed');
    await waitFor(() => isGone('removed'), { what: 'the resource to be gone', timeoutMs: 20_000 });
    expect(operator.log.join()).toContain('resource deleted without the database, its client follows later');
    expect(await client('removed')).toBeDefined();
    at.postgres.open();
    await waitFor(async () => (await client('removed')) === undefined, {
      what: 'the client to be deleted',
      timeoutMs: 20_000,
    });
    expect(await client('kept')).toBeDefined();
  });

  test('the operator starts while Postgres is down, and begins when it is back', async () => {
    at.postgres.shut();
    const operator = at.startProgram();
    await waitFor(() => operator.stdout().includes('gatehouse operator is ready'), {
      what: 'the start',
      timeoutMs: 30_000,
    });
    expect(operator.stdout()).toContain('database not reached at the start, resources wait');
    await at.apply('waits', single);
    at.postgres.open();
    await at.condition('waits', 'Ready', 'InUse');
  }, 60_000);

  test('without a cluster, the command says what to do', async () => {
    const operator = at.startProgram({ KUBECONFIG: '', HOME: '/nonexistent' });
    expect(await operator.ended).toBe(78);
    expect(operator.stderr()).toContain('set KUBECONFIG');
  });

  test('a resource that is deleted during a short outage of Postgres waits for it', async () => {
    await at.start({ times: { deletionMs: 60_000 } });
    await at.apply('removed', web);
    await at.condition('removed', 'Ready', 'InUse');
    at.postgres.shut();
    await at.remove('removed');
    at.postgres.open();
    await waitFor(() => isGone('removed'), { what: 'the resource to be gone', timeoutMs: 20_000 });
    expect(await client('removed')).toBeUndefined();
  });

  test('changes while the operator is down are made when it is back: edited, created and deleted resources', async () => {
    const first = await at.start();
    await at.apply('edited', web);
    await at.apply('deleted', web);
    await at.condition('edited', 'Ready', 'InUse');
    await at.condition('deleted', 'Ready', 'InUse');
    await first.stop();
    await at.apply('edited', { ...web, name: 'Shop 2' });
    await at.remove('deleted');
    await at.apply('created', web);
    const secret = await at.secret('edited-oidc');
    await at.start();
    await at.condition('created', 'Ready', 'InUse');
    await at.condition('edited', 'Ready', 'InUse');
    await waitFor(() => isGone('deleted'), { what: 'the deletion' });
    expect(await isInUse('edited', 'Shop 2')).toBe(true);
    expect(await client('deleted')).toBeUndefined();
    expect(await at.secret('edited-oidc')).toEqual(secret);
  });

  test('when the leader is killed in the middle, another operator completes the work, and no secret is lost', async () => {
    const [first, second] = [at.startProgram(), at.startProgram()];
    const leads = (program: Program) => program.stdout().includes('this process does the jobs now');
    const leader = await waitFor(() => [first, second].find(leads), { what: 'a leader', timeoutMs: 20_000 });
    const follower = leader === first ? second : first;
    const names = Array.from({ length: 40 }, (_, index) => `app-${index}`);
    const created = Promise.all(names.map((name) => at.apply(name, web)));
    const begun = async () => (await at.ports.clients.all()).length > 5;
    await waitFor(begun, { what: 'the work to begin', intervalMs: 1 });
    leader.kill('SIGKILL');
    expect((await at.ports.clients.all()).length).toBeLessThan(names.length);
    await created;
    await waitFor(() => leads(follower), { what: 'the other operator to begin', timeoutMs: 40_000 });
    await Promise.all(names.map((name) => at.condition(name, 'Ready', 'InUse')));
    for (const name of names) {
      const digest = digestOf((await at.secret(`${name}-oidc`))?.client_secret ?? '');
      expect((await client(name))?.secrets.at(-1)).toEqual({ sha256: digest });
    }
    follower.kill('SIGTERM');
    expect(await follower.ended).toBe(0);
  }, 90_000);

  test('an operator that cannot extend its lease stops the work before another one begins', async () => {
    const operator = await at.start();
    await at.apply('one', single);
    await at.condition('one', 'Ready', 'InUse');
    at.proxy.decide(({ path }) => (path.includes('/leases') ? { status: 500 } : 'pass'));
    await waitFor(async () => /gatehouse_operator_leader 0/.test(await operator.metrics()), {
      what: 'the end of the work',
    });
    at.proxy.decide(() => 'pass');
    await at.apply('two', single);
    await at.condition('two', 'Ready', 'InUse');
  });

  test('the API server is restarted: the operator continues with what changed meanwhile', async () => {
    await at.start({ times: { leaseMs: 15_000 } });
    await at.apply('one', single);
    await at.condition('one', 'Ready', 'InUse');
    at.proxy.shut();
    await at.apply('one', { ...single, name: 'Shop 2' });
    await at.apply('two', single);
    at.proxy.open();
    await at.condition('two', 'Ready', 'InUse');
    await at.condition('one', 'Ready', 'InUse');
    expect(await isInUse('one', 'Shop 2')).toBe(true);
  });

  test('a watch that goes silent without closing is given up, and the change is found', async () => {
    await at.start({ watchSeconds: 1 });
    await at.apply('one', single);
    await at.condition('one', 'Ready', 'InUse');
    at.proxy.silence();
    await at.apply('one', { ...single, name: 'Shop 2' });
    // A write that was under way may have gone silent too. It is given up after its own limit.
    await waitFor(() => isInUse('one', 'Shop 2'), { what: 'the change', timeoutMs: 60_000 });
  }, 90_000);

  test.each([
    ['500 at every list for a while', { status: 500 }, { status: 500 }],
    [
      'a version that the server does not have any more (410)',
      'pass' as const,
      { status: 200, lines: [{ type: 'ERROR', object: { code: 410, message: 'too old' } }] },
    ],
    [
      'an answer that is not JSON',
      'pass' as const,
      { status: 200, lines: ['<html>'] as unknown as object[] },
    ],
    ['a watch that is refused', 'pass' as const, { status: 403 }],
  ])('%s: the watch begins again, and nothing is deleted meanwhile', async (_, list, watch) => {
    const operator = await at.start();
    await at.apply('one', single);
    await at.condition('one', 'Ready', 'InUse');
    at.proxy.decide(({ isWatch, path, method }) => {
      if (method !== 'GET' || !path.includes('/oidcclients?')) return 'pass';
      return isWatch ? watch : list;
    });
    // Ends the watches that are under way.
    at.proxy.shut();
    at.proxy.open();
    await waitFor(() => operator.log.filter((line) => line.includes('"state":"failed"')).length > 2, {
      what: 'failures',
    });
    await at.apply('two', single);
    at.proxy.decide(() => 'pass');
    await at.condition('two', 'Ready', 'InUse');
    expect(await client('one')).toBeDefined();
  });

  test('1,000 resources at once become clients; a second pass over them writes nothing', async () => {
    const operator = await at.start({ times: { sweepMs: 3_600_000 } });
    const names = Array.from({ length: 1000 }, (_, index) => `app-${index}`);
    const startedAt = performance.now();
    const queue = [...names];
    await atOnce(20, async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) await at.apply(name, web);
    });
    await waitFor(async () => (await operator.state()).ready === 1000, {
      what: '1,000 clients',
      timeoutMs: 300_000,
      intervalMs: 200,
    });
    const firstSeconds = (performance.now() - startedAt) / 1000;
    await operator.stop();
    const clients = await at.ports.clients.all();
    expect(clients).toHaveLength(1000);
    expect(new Set(clients.map(({ secrets }) => secrets[0]?.sha256)).size).toBe(1000);
    const version = await at.ports.clients.version();
    at.proxy.requests.length = 0;
    const again = performance.now();
    const second = await at.start({ times: { sweepMs: 3_600_000 } });
    await waitFor(async () => (await second.looks()) >= 1000, {
      what: 'the second pass',
      timeoutMs: 120_000,
    });
    const secondSeconds = (performance.now() - again) / 1000;
    process.stderr.write(
      `1,000 resources: ${firstSeconds.toFixed(1)} s until all are in use, ${secondSeconds.toFixed(1)} s for a second pass\n`,
    );
    const writes = at.proxy.requests.filter(
      ({ method, path }) => method !== 'GET' && !path.includes('/leases'),
    );
    expect(writes).toEqual([]);
    expect(await at.ports.clients.version()).toBe(version);
  }, 480_000);
});

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { withCluster } from '../support/kubernetes.ts';
import { waitFor } from '../support/wait-for.ts';
import { type OperatorDeployment, openOperatorDeployment } from './operator-deployment.ts';

await withCluster('apps whose client is a resource', (cluster) => {
  let servers: FleetDeployment;
  let at: OperatorDeployment;
  beforeAll(async () => {
    servers = await startServers({ processes: 2 });
    at = await openOperatorDeployment(cluster(), servers);
    await at.start({ times: { propagationMs: 2000 } });
  }, 60_000);
  afterAll(async () => {
    await at?.close();
    await servers?.stop();
  });

  const spec = (more: object) => ({
    name: 'Robot',
    grants: ['client_credentials'],
    scopes: ['contracts:read'],
    defaultResource: servers.audience,
    ...more,
  });
  const token = async (clientId: string, secret: string) => {
    const answer = await servers.fetch(`${servers.issuer}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'contracts:read' }),
    });
    const body = (await answer.json()) as { error?: string };
    return answer.status === 200 ? 'issued' : (body.error ?? String(answer.status));
  };
  /** Calls go to one process after the other, so two calls in a row ask both. */
  const worksSoon = (clientId: string, secret: string) =>
    waitFor(
      async () => {
        const answers = [await token(clientId, secret), await token(clientId, secret)];
        return answers.every((answer) => answer === 'issued');
      },
      { what: 'the first token of each process' },
    );

  test('an app that reads the Secret, and one that still has the old secret, get tokens before, during and after a rotation', async () => {
    const id = `${at.namespace}.robot`;
    await at.apply('robot', spec({}));
    await at.condition('robot', 'Ready', 'InUse');
    const old = (await at.secret('robot-oidc'))?.client_secret ?? '';
    await worksSoon(id, old);
    const seen = new Set<string>();
    const answers: string[] = [];
    let isOver = false;
    const app = (async () => {
      while (!isOver) {
        const secret = (await at.secret('robot-oidc'))?.client_secret ?? '';
        seen.add(secret);
        answers.push(...(await Promise.all([token(id, secret), token(id, old)])));
        await pause(10);
      }
    })();
    await waitFor(() => answers.length > 10);
    await at.apply('robot', spec({}), { annotations: { 'gatehouse.dev/rotate': '1' } });
    await waitFor(() => seen.size === 2, { what: 'the rotation', timeoutMs: 20_000 });
    const after = answers.length;
    await waitFor(() => answers.length > after + 20, { timeoutMs: 20_000 });
    isOver = true;
    await app;
    expect(answers.filter((answer) => answer !== 'issued')).toEqual([]);
  }, 60_000);

  test('without overlap, a replaced secret ends at once; a deleted client gets no token', async () => {
    const id = `${at.namespace}.strict`;
    const [leaked, fresh] = ['l'.repeat(64), 'f'.repeat(64)];
    await at.writeSecret('strict', { client_secret: leaked });
    await at.apply('strict', spec({ secretRef: { name: 'strict' }, overlap: '0s' }));
    await worksSoon(id, leaked);
    await at.writeSecret('strict', { client_secret: fresh });
    await worksSoon(id, fresh);
    await waitFor(async () => (await token(id, leaked)) === 'invalid_client', {
      what: 'the end of the secret',
    });
    await at.remove('strict');
    await waitFor(async () => (await token(id, fresh)) === 'invalid_client', {
      what: 'the end of the client',
    });
  });
});

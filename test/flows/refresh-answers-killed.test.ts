import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, oneProcess, threeProcesses } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { type JsonAnswer, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { appDocument, createApp, offline } from './apps.ts';

const clients = [
  appDocument('patient', { graceSeconds: 60 }),
  appDocument('own', {
    graceSeconds: 60,
    auth: 'none',
    firstParty: true,
    grants: ['refresh_token', 'password'],
  }),
];

/**
 * The deployment through a relay to one of its processes. The relay kills the process as soon as it has the reply, and
 * drops the reply.
 */
async function throughKiller(deployment: Deployment, index: number) {
  const origin = deployment.origins[index] ?? '';
  const program = deployment.programs[index];
  const replies: { status: number; body: unknown }[] = [];
  const relay = createServer(async (request, response) => {
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const reply = await fetch(`${origin}${request.url}`, {
      method: 'POST',
      headers: { ...(authorization && { authorization }), 'content-type': type },
      body: await text(request),
    });
    replies.push({ status: reply.status, body: await reply.json() });
    program?.kill('SIGKILL');
    await program?.ended;
    response.destroy();
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const relayed: Deployment = {
    ...deployment,
    fetch: (input, init) => fetch(String(input).replace(deployment.issuer, address), init),
  };
  return { relayed, replies, close: () => new Promise((resolve) => relay.close(resolve)) };
}

describe.each(threeProcesses)('G1, a process dies after it spent a token, on $name', ({ start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start({ clients });
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** Sends a request to a process that dies before its reply arrives, and then to another process. */
  const sentAgain = async (dies: number, send: (to: Deployment) => Promise<JsonAnswer>) => {
    const { relayed, replies, close } = await throughKiller(deployment, dies);
    try {
      await expect(send(relayed)).rejects.toThrow('fetch failed');
    } finally {
      await close();
    }
    expect(replies).toMatchObject([{ status: 200 }]);
    const again = await send(oneProcess(deployment, 2));
    expect({ status: again.status, body: again.body }).toEqual(replies[0]);
    return again;
  };

  test('at the token endpoint another process returns the lost answer, and its tokens work', async () => {
    const living = oneProcess(deployment, 2);
    const app = createApp(living, 'patient');
    const { refresh_token } = await app.signIn(createUserAgent(living), offline);
    const again = await sentAgain(0, (to) => createApp(to, 'patient').refresh(refresh_token));
    expect((await app.refresh(tokensOf(again).refresh_token)).status).toBe(200);
  });

  test('at /auth/refresh another process returns the lost answer', async () => {
    const living = oneProcess(deployment, 2);
    const { refreshToken } = await apiLogin(living, { clientId: 'own' });
    const refresh = (to: Deployment, refreshToken: unknown) =>
      callJsonApi(to, '/auth/refresh', { refreshToken, clientId: 'own' });
    const again = await sentAgain(1, (to) => refresh(to, refreshToken));
    expect((await refresh(living, again.body.refreshToken)).status).toBe(200);
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../provider/lib/clock.ts';
import { createGateway } from '../../support/gateway-verifier.ts';
import type { ConnectWorld } from './world.ts';

/**
 * Starts an API that an app calls with its access token. It checks the token as API Gateway does, requires the scope
 * `contracts:read`, and answers with `sub` and `scope` of the token. Returns its address.
 */
export async function startApi({ deployment, addresses, onStop }: ConnectWorld): Promise<string> {
  const { issuer, api } = addresses;
  const { fetch } = deployment;
  const gateway = await createGateway({ issuer, audiences: [api], clock: systemClock, fetch });
  const server = createServer(async ({ headers }, response) => {
    const { authorization } = headers;
    const answer = await gateway.check({ authorization, scopes: ['contracts:read'] });
    const { sub, scope } = answer.status === 200 ? answer.claims : { sub: undefined, scope: undefined };
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.status === 200 ? { sub, scope } : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

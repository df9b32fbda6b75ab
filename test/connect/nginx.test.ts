import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { httpCall } from '../support/http-call.ts';
import { startNginx } from '../support/servers/nginx.ts';
import { type GatewayWorld, testGateway, withReplaced } from './support/gateway.ts';

let world: GatewayWorld;

testGateway({
  name: 'nginx',
  statusWhileAway: 503,
  refusalType: 'text/html',
  start: async (started) => {
    world = started;
    const { page, addresses, appPort, gatehouse, service, onStop } = world;
    const example = await readFile(join(packageRoot, 'docs/gateways/nginx.conf'), 'utf8');
    const configuration = withReplaced(example, [
      ['server gatehouse.internal:3000;', `server ${gatehouse};`],
      ['server orders.internal:8080;', `server ${service};`],
      ['https://api.example.com', addresses.api],
      ['    location / {', `${page.block('nginx')}\n    location / {`],
    ]);
    const listen = (port: number) => `listen 127.0.0.1:${port}; listen 127.0.0.1:${appPort};`;
    const nginx = await startNginx((port) => withReplaced(configuration, [['listen 80;', listen(port)]]));
    onStop(nginx.stop);
  },
});

test('a location without a check passes on requests without a token, and no identity headers', async () => {
  const forged = { 'x-auth-subject': 'forged', 'x-auth-roles': 'forged' };
  const { status, body } = await httpCall(world.addresses.app, '/health', { headers: forged });
  expect([status, body.includes('forged')]).toEqual([200, false]);
});

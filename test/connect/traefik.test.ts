import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { httpCall } from '../support/http-call.ts';
import { waitFor } from '../support/wait-for.ts';
import { testGateway, withReplaced } from './support/gateway.ts';
import { installedWithPip } from './support/install.ts';

testGateway({
  name: 'traefik',
  statusWhileAway: 500,
  start: async ({ page, addresses, appPort, write, start, gatehouse, service }) => {
    const python = await installedWithPip('traefik');
    const example = await readFile(join(packageRoot, 'docs/gateways/traefik.yaml'), 'utf8');
    const dynamic = withReplaced(example, [
      ['gatehouse.internal:3000', gatehouse],
      ['https://api.example.com', addresses.api],
      ['orders.example.com', new URL(addresses.app).hostname],
      ['orders.internal:8080', service],
    ]);
    const entryPoint = withReplaced(page.block('yaml', 1), [
      ['":8080"', `127.0.0.1:${appPort}`],
      ['/etc/traefik/orders.yaml', await write('orders.yaml', dynamic)],
    ]);
    // Traefik calls its vendor by default.
    const quiet = 'global: { checkNewVersion: false, sendAnonymousUsage: false }\n';
    await write('traefik.yaml', `${entryPoint}${quiet}`);
    await start({ program: join(dirname(python), 'traefik'), args: ['--configFile=traefik.yaml'] });
    // It answers 404 until it has read its dynamic configuration.
    await waitFor(async () => (await httpCall(addresses.app, '/orders')).status !== 404);
  },
});

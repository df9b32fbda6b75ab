import { dirname, join } from 'node:path';
import { testGateway, withReplaced } from './support/gateway.ts';
import { installedWithPip } from './support/install.ts';

testGateway({
  name: 'caddy',
  statusWhileAway: 502,
  start: async ({ page, addresses, folder, write, start, gatehouse, service }) => {
    const python = await installedWithPip('caddy');
    const site = withReplaced(page.block('caddyfile'), [
      ['orders.example.com', addresses.app],
      ['gatehouse.internal:3000', gatehouse],
      ['orders.internal:8080', service],
    ]);
    // Caddy uses port 2019 for its own API, and writes to the folders of the user.
    await write('Caddyfile', `{\n\tadmin off\n\tpersist_config off\n}\n${site}`);
    const env = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
    await start({ program: join(dirname(python), 'caddy'), args: ['run', '--config', 'Caddyfile'], env });
  },
});

import { afterAll, beforeAll, describe } from '@jest/globals';
import { startApi } from './support/api.ts';
import { installedWithPip } from './support/install.ts';
import { testSmallApp } from './support/small-app.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

describe('Authlib in Flask', () => {
  let world: ConnectWorld;
  beforeAll(async () => {
    const program = await installedWithPip('authlib');
    world = await startWorld('authlib');
    await world.write('gatehouse.py', world.page.block('python'));
    const env = {
      API_URL: await startApi(world),
      SESSION_SECRET: 'a secret of this test',
      // Authlib accepts http only with this setting.
      AUTHLIB_INSECURE_TRANSPORT: '1',
    };
    await world.start({ program, args: ['main.py'], env });
  }, 300_000);
  afterAll(() => world?.stop());

  testSmallApp(() => world, { idToken: { email: 'john@example.com' }, userinfo: { email_verified: true } });
});

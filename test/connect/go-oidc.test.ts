import { afterAll, beforeAll, describe } from '@jest/globals';
import { startApi } from './support/api.ts';
import { builtWithGo } from './support/native.ts';
import { privateApp, testSmallApp } from './support/small-app.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

describe('go-oidc', () => {
  let world: ConnectWorld;
  beforeAll(async () => {
    world = await startWorld('go-oidc', { env: privateApp });
    await world.write('gatehouse.go', world.page.block('go'));
    const program = await builtWithGo(world.folder);
    const env = { API_URL: await startApi(world) };
    await world.start({ program, args: [], env });
  }, 300_000);
  afterAll(() => world?.stop());

  testSmallApp(() => world, {
    idToken: { email: 'john@example.com' },
    userinfo: { email_verified: true },
    backChannelLogout: true,
  });
});

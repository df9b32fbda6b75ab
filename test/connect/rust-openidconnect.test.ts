import { afterAll, beforeAll, describe } from '@jest/globals';
import { startApi } from './support/api.ts';
import { builtWithCargo } from './support/native.ts';
import { testSmallApp } from './support/small-app.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

describe('openidconnect (Rust)', () => {
  let world: ConnectWorld;
  beforeAll(async () => {
    world = await startWorld('rust-openidconnect');
    await world.write('src/gatehouse.rs', world.page.block('rust'));
    const program = await builtWithCargo('rust-openidconnect', world.folder);
    await world.start({
      program,
      args: [],
      env: { API_URL: await startApi(world), ISSUER: world.addresses.issuer },
    });
  }, 1_500_000);
  afterAll(() => world?.stop());

  testSmallApp(() => world, { idToken: { email: 'john@example.com' }, userinfo: { email_verified: true } });
});

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/databases.ts';
import { eachStore, type FleetDeployment } from '../support/deployment.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { findPostgresProgram } from '../support/servers/postgres.ts';
import { silently } from '../support/sign-in.ts';
import { bearer, createTestClient, demoApps, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';

const run = promisify(execFile);

async function postgres(name: string, ...args: string[]): Promise<void> {
  const program = findPostgresProgram(name);
  if (program === undefined)
    throw new Error(`This test needs ${name}: install the Postgres client programs.`);
  await run(program, args);
}

let deployment: FleetDeployment | undefined;
let restored: TestDatabase | undefined;
let fleet: Fleet | undefined;
afterEach(async () => {
  await fleet?.stop();
  await deployment?.stop();
  await restored?.drop();
});

describe.each(eachStore)('$name: a dump that was restored into an empty database', (kind) => {
  test('keeps sessions, refresh tokens, consents and revocations', async () => {
    deployment = await kind.start({ processes: 1 });
    const agent = createUserAgent(deployment);
    const app = createTestClient(deployment, demoApps.web);
    const scope = 'openid offline_access contracts:read';
    const tokens = await app.signIn(agent, { scope });
    const revoked = await app.signIn(agent, { scope });
    expect((await app.post('revoke', { token: revoked.access_token })).status).toBe(200);
    for (const program of deployment.programs) program.kill('SIGTERM');
    await Promise.all(deployment.programs.map((program) => program.ended));

    const { databaseUrl = '', env, folder, origins } = deployment;
    const dump = join(folder, 'gatehouse.dump');
    await postgres('pg_dump', '--format=custom', '--no-owner', `--file=${dump}`, databaseUrl);
    restored = await createTestDatabase();
    await postgres('pg_restore', '--no-owner', '--exit-on-error', `--dbname=${restored.url}`, dump);
    fleet = await startFleet({
      command: 'serve',
      env: { ...env, GATEHOUSE_DATABASE_URL: restored.url },
      folder,
      port: Number(new URL(origins[0] ?? '').port),
    });

    expect(await silently(agent, app)).toBe('code');
    const refreshed = tokensOf(await app.refresh(tokens.refresh_token));
    const verify = async (token = '') =>
      (await fetch(`${fleet?.origins[0]}/auth/verify`, { headers: bearer(token) })).status;
    expect(await verify(refreshed.access_token)).toBe(200);
    expect(await verify(revoked.access_token)).toBe(401);
  }, 120_000);
});

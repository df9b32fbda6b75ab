import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FleetDeployment, startEmbedded } from '../support/deployment.ts';
import { type ApiTokens, apiLogin, getProfile, postJson } from '../support/json-api.ts';
import { type Program, runProgram } from '../support/program.ts';

const ann = { email: 'ann@example.com', password: 'a-fine-long-password' };

describe('the embedded default, stopped and started again', () => {
  let deployment: FleetDeployment;
  let second: Program | undefined;
  beforeAll(async () => {
    deployment = await startEmbedded({ env: { GATEHOUSE_KEYS: '', GATEHOUSE_SERVER_SECRETS: '' } });
  }, 120_000);
  afterAll(async () => {
    if (second?.hasEnded() === false) second.kill('SIGKILL');
    await second?.ended;
    await deployment?.stop();
  });

  /** Checks that the accounts, the tokens issued before, and the keys still exist. */
  async function expectAllThere(before: ApiTokens): Promise<ApiTokens> {
    await apiLogin(deployment, ann);
    await apiLogin(deployment);
    expect((await getProfile(deployment, before.accessToken)).status).toBe(200);
    const answer = await postJson(deployment, '/auth/refresh', { refreshToken: before.refreshToken });
    expect(answer.status).toBe(200);
    return (await answer.json()) as ApiTokens;
  }

  test('keeps accounts, refresh tokens and keys after Ctrl-C and after SIGKILL', async () => {
    expect((await postJson(deployment, '/auth/register', ann)).status).toBe(202);
    const first = await apiLogin(deployment, ann);
    await deployment.restart(0, 'SIGINT');
    const [stopped] = deployment.started;
    expect(await stopped?.ended).toBe(0);
    expect(stopped?.output()).not.toMatch(/"level":"error"|not stopped in time/);

    const second = await expectAllThere(first);
    await deployment.restart(0, 'SIGKILL');
    expect(await deployment.started[1]?.ended).toBeNull();
    await expectAllThere(second);
  }, 180_000);

  test('a second process on the same folder refuses to start and doesn’t disturb the first', async () => {
    const env = { ...deployment.env, GATEHOUSE_PORT: '0', GATEHOUSE_OPS_PORT: '0' };
    second = runProgram(['dev'], { env, cwd: deployment.folder });
    expect(await second.ended).toBe(78);
    expect(second.output()).toMatch(/Another gatehouse .*runs on the data folder \.gatehouse.*Stop it/);
    expect(second.output()).not.toMatch(/\n\s+at /);
    await apiLogin(deployment);
  }, 60_000);

  test('only the owner can read the secret files', async () => {
    const data = join(deployment.folder, '.gatehouse');
    expect((await stat(data)).mode & 0o777).toBe(0o700);
    for (const name of ['keys.json', 'server-secret']) {
      expect((await stat(join(data, name))).mode & 0o777).toBe(0o600);
    }
    expect((await readFile(join(data, 'server-secret'), 'utf8')).length).toBeGreaterThanOrEqual(43);
  });
});

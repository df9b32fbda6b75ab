import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { randomToken } from '../../provider/lib/ids.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type FleetDeployment, oneProcess, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { silently } from '../support/sign-in.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { copyOf, createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(240_000);

const [older, newer] = [randomToken(32), randomToken(32)];
let folder: string;
let deployment: FleetDeployment;

/** Replaces the file of the secrets as a platform does: a reader sees the old text or the new one. */
async function write(text: string): Promise<void> {
  const path = join(folder, 'server-secrets');
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
const setClocks = (ms: number) => writeFileSync(join(folder, 'clock.json'), JSON.stringify({ all: ms }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-live-'));
  setClocks(0);
  await write(older);
  deployment = await startServers({
    env: {
      GATEHOUSE_SERVER_SECRETS: `file:${join(folder, 'server-secrets')}`,
      NODE_OPTIONS: `--import ${join(packageRoot, 'test', 'support', 'shifted-clock.js')}`,
      TEST_CLOCK_FILE: join(folder, 'clock.json'),
    },
  });
});
afterAll(async () => {
  await deployment?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Waits until each process has logged this. */
const untilLogged = (text: string) =>
  waitFor(() => deployment.programs.every((program) => program.output().includes(text)), {
    timeoutMs: 60_000,
    what: text,
  });
const untilInUse = (known: number, sealing: number) =>
  untilLogged(`"known":${known},"sealing":${sealing},"msg":"server secrets changed"`);
const outdated = () => metric(deployment, 'gatehouse_secrets_outdated');
const process = (index: number) => oneProcess(deployment, index);
/** Redeems a refresh token at another process than the one that issued it. */
const refreshed = async (token: string, index: number) =>
  (await callJsonApi(process(index), '/auth/refresh', { refreshToken: token })).status;
const app = () => createTestClient(deployment, demoApps.firstParty);
/** A browser that signed in at the first process. */
const signedIn = async (): Promise<UserAgent> => {
  const agent = createUserAgent(process(0));
  await app().authorize(agent);
  return agent;
};
/** What the second process says to a browser, with its cookies of now. */
const atSecond = (agent: UserAgent) => silently(copyOf(process(1), agent), app());

test('a new server secret is used without a restart, and no sign-in ends while both are there', async () => {
  const { refreshToken: first } = await apiLogin(process(0));
  const [browser, idle] = [await signedIn(), await signedIn()];

  // Even if the new secret is first at once, it seals nothing until all processes have had the time to read it.
  await write(`${newer} ${older}`);
  const { refreshToken: early } = await apiLogin(process(0));
  await untilInUse(2, 2);
  const { refreshToken: known } = await apiLogin(process(0));
  expect(await refreshed(first, 1)).toBe(200);
  expect(await refreshed(early, 1)).toBe(200);
  expect(await atSecond(browser)).toBe('code');

  setClocks(5 * 60_000);
  await untilInUse(2, 1);
  const { refreshToken: late } = await apiLogin(process(0));
  const lateBrowser = await signedIn();
  expect(await silently(browser, app())).toBe('code');

  // The old secret is gone: what it sealed is refused, so `late` shows that the new one seals.
  await write(newer);
  await untilInUse(1, 1);
  expect(await refreshed(known, 1)).toBe(401);
  expect(await refreshed(late, 1)).toBe(200);
  // A process that never knew the old secret accepts a cookie that the others signed after the change.
  await deployment.restart(1);
  expect(await atSecond(lateBrowser)).toBe('code');
  // A session that was used meanwhile moved to the new secret.
  expect(await atSecond(browser)).toBe('code');
  expect(await atSecond(idle)).toBe('login_required');
});

test.each([
  ['too weak', () => write('short')],
  ['gone', () => rm(join(folder, 'server-secrets'))],
])('a value that is %s leaves the last good one in use, with a warning and a metric', async (_, spoil) => {
  const { refreshToken } = await apiLogin(process(0));
  expect(await outdated()).toBe(0);
  const good = await readFile(join(folder, 'server-secrets'), 'utf8');
  await spoil();
  await waitFor(async () => (await outdated()) === 2, { timeoutMs: 60_000, what: 'the metric' });
  await untilLogged('secret cannot be read, keeping the last good value');
  expect(await refreshed(refreshToken, 1)).toBe(200);
  const { refreshToken: meanwhile } = await apiLogin(process(1));
  await write(good);
  await waitFor(async () => (await outdated()) === 0, { timeoutMs: 60_000, what: 'the end of the warning' });
  await untilLogged('secret can be read again');
  expect(await refreshed(meanwhile, 0)).toBe(200);
  for (const program of deployment.started) expect(program.output()).not.toMatch(`${newer}|${older}`);
});

import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type FleetDeployment, oneProcess, startServers } from '../support/deployment.ts';
import { isReady } from '../support/fleet.ts';
import { createGateway, type Gateway } from '../support/gateway-verifier.ts';
import { runProgram } from '../support/program.ts';
import { type Moto, startMoto } from '../support/servers/moto.ts';
import { createTestClient, decodeJwt, demoApps, tokensOf } from '../support/test-client.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(300_000);

const minute = 60_000;
const secret = 'gatehouse/rotating-keys';
const skewMs = -60_000;

let moto: Moto;
let admin: SecretsManagerClient;
let folder: string;
let deployment: FleetDeployment;
/** By how much the time of the test is ahead of the real time. */
let ahead = 0;

const clock = { now: () => Date.now() + ahead };
/** Sets the clocks of all processes. The clock of the second process is 60 s behind the others. */
function setClocks(ms: number): void {
  ahead = ms;
  const slow = deployment === undefined ? {} : { [new URL(deployment.origins[1] ?? '').port]: skewMs };
  writeFileSync(join(folder, 'clock.json'), JSON.stringify({ all: ms, ...slow }));
}

beforeAll(async () => {
  moto = await startMoto();
  admin = new SecretsManagerClient(moto.client);
  // As Terraform leaves it: without a value.
  await admin.send(new CreateSecretCommand({ Name: secret }));
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-clock-'));
  setClocks(0);
  const env = {
    ...moto.environment,
    GATEHOUSE_KEYS: `secretsmanager:${secret}`,
    GATEHOUSE_KEYS_POLL_SECONDS: '1',
    NODE_OPTIONS: `--import ${join(packageRoot, 'test', 'support', 'shifted-clock.js')}`,
    TEST_CLOCK_FILE: join(folder, 'clock.json'),
  };
  deployment = await startServers({ env, redis: false });
  setClocks(0);
});
afterAll(async () => {
  await deployment?.stop();
  admin?.destroy();
  await moto?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function gatehouse(...args: string[]): Promise<string> {
  const program = runProgram(args, { env: deployment.env, cwd: deployment.folder });
  if ((await program.ended) !== 0) throw new Error(program.output());
  return program.stdout();
}
const publishedBy = async (process: number): Promise<string[]> => {
  const answer = await fetch(`${deployment.origins[process]}/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
};

/** Requests tokens from one process until it has the new time. Every verifier and the other process check each token. */
async function callUntil(process: number, time: number, gateways: readonly Gateway[]) {
  const client = createTestClient(oneProcess(deployment, process), demoApps.service);
  const refusals: string[] = [];
  for (;;) {
    const answer = await client.clientCredentials();
    if (answer.status !== 200) refusals.push(`process ${process} answers ${answer.status}`);
    const token = tokensOf(answer).access_token ?? '';
    const authorization = `Bearer ${token}`;
    for (const gateway of gateways) {
      const checked = await gateway.check({ authorization, scopes: ['contracts:read'] });
      if (checked.status !== 200) refusals.push(checked.reason);
    }
    const verify = await fetch(`${deployment.origins[1 - process]}/auth/verify`, {
      headers: { authorization },
    });
    if (verify.status !== 200) refusals.push(`process ${1 - process} refuses a token: ${verify.status}`);
    const { header, claims } = decodeJwt(token);
    if (Number(claims.iat) * 1000 >= time - minute * 2) return { refusals, token, kid: String(header.kid) };
  }
}

describe('a rotation under load, with two processes whose clocks differ by 60 s', () => {
  test('no token is refused by a verifier that caches keys for 2 hours and ignores unknown keys', async () => {
    const { issuer, audience, fetch } = deployment;
    const gateways: Gateway[] = [];
    const signers: string[][] = [];
    let earlier: string[] = [];
    const step = 10 * minute;
    // The rotation ends after 20 minutes, 3 hours of lead time, 1 hour for the longest token, and 3 hours again.
    for (let at = 0; at <= 460 * minute; at += step) {
      if (at === 20 * minute) await gatehouse('keys', 'rotate');
      // Each verifier fills its cache at another time, from one of the processes.
      const fresh = await createGateway({ issuer, audiences: [audience], clock, fetch });
      gateways.push(fresh);
      // The calls begin before the time changes and go on after it.
      const time = Date.now() + at;
      const calls = [0, 1].map((process) => callUntil(process, time, gateways));
      setClocks(at);
      const results = await Promise.all(calls);
      // Every process finds the new key within a minute, which is less than a step.
      if (at === 20 * minute)
        for (const process of [0, 1])
          await waitFor(async () => (await publishedBy(process)).length === 2, { what: 'the new key' });
      expect(results.flatMap(({ refusals }) => refusals)).toEqual([]);
      // A verifier with the newest keys still accepts the tokens of ten minutes ago.
      for (const token of earlier) {
        const request = { authorization: `Bearer ${token}`, scopes: ['contracts:read'] };
        expect(await fresh.check(request)).toMatchObject({ status: 200 });
      }
      earlier = results.map(({ token }) => token);
      signers.push(results.map(({ kid }) => kid));
    }
    const [[old = ''] = []] = signers;
    const [next = ''] = signers.at(-1) ?? [];
    expect(next).not.toBe(old);
    // The lead time of 3 hours ends 200 minutes after the start.
    expect(new Set(signers.slice(0, 20).flat())).toEqual(new Set([old]));
    expect(signers.at(-1)).toEqual([next, next]);
    for (const process of [0, 1])
      await waitFor(async () => (await publishedBy(process)).join() === next, {
        what: 'the old key to be gone',
      });
  });

  test('retire --now replaces a leaked key on every process', async () => {
    const [leaked = ''] = await publishedBy(0);
    await gatehouse('keys', 'retire', leaked, '--now');
    for (const process of [0, 1])
      await waitFor(async () => !(await publishedBy(process)).includes(leaked), {
        what: 'the key to be gone',
      });
    const { kid } = await callUntil(1, 0, []);
    expect(kid).not.toBe(leaked);
  });
});

describe('a signing key in KMS', () => {
  let kms: KMSClient;
  beforeAll(() => {
    kms = new KMSClient(moto.client);
  });
  afterAll(() => kms.destroy());

  const createKey = async (KeySpec: 'RSA_2048' | 'ECC_NIST_P256') =>
    (await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }))).KeyMetadata?.Arn ?? '';

  test('signs on every process after the lead time, and API Gateway accepts its tokens', async () => {
    await gatehouse('keys', 'rotate', '--kms', await createKey('RSA_2048'));
    const { keys } = JSON.parse(await gatehouse('keys', 'list', '--json')) as {
      keys: { kid: string; kms: string | null }[];
    };
    const kid = keys.find((key) => key.kms !== null)?.kid ?? '';
    // The slow clock of the second process reaches the time of the publication.
    setClocks(ahead + 2 * minute);
    for (const process of [0, 1])
      await waitFor(async () => (await publishedBy(process)).includes(kid), { what: 'a published key' });
    setClocks(ahead + 190 * minute);
    for (const process of [0, 1])
      await waitFor(async () => (await callUntil(process, 0, [])).kid === kid, { what: 'the key to sign' });
    const { issuer, audience, fetch } = deployment;
    const gateway = await createGateway({ issuer, audiences: [audience], clock, fetch });
    for (const process of [0, 1])
      expect(await callUntil(process, clock.now(), [gateway])).toMatchObject({ refusals: [], kid });
  });

  test('gives 503 while KMS does not answer, and signs again afterwards', async () => {
    const client = createTestClient(oneProcess(deployment, 0), demoApps.service);
    const resume = await moto.stall();
    const refused = await client.clientCredentials().finally(resume);
    expect(refused).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect((await client.clientCredentials()).status).toBe(200);
  });

  test('is refused if it can not sign with RS256', async () => {
    const arn = await createKey('ECC_NIST_P256');
    await expect(gatehouse('keys', 'rotate', '--kms', arn)).rejects.toThrow(/can't sign with RS256/);
    await expect(gatehouse('keys', 'rotate', '--kms', 'alias/none')).rejects.toThrow(/NotFoundException/);
  });
});

describe('a lost secret', () => {
  const failures = async (origin: string) => {
    const text = await (await fetch(`${origin}/metrics`)).text();
    return Number(/^gatehouse_keys_reload_failures_total (\d+)/m.exec(text)?.[1]);
  };

  test('leaves the last keys in use, with a metric, and stops a new start with advice', async () => {
    const before = await publishedBy(0);
    await admin.send(new DeleteSecretCommand({ SecretId: secret, ForceDeleteWithoutRecovery: true }));
    const [origin = ''] = deployment.opsOrigins;
    await waitFor(async () => (await failures(origin)) > 1, { what: 'failed looks at the secret' });
    expect(await isReady(origin)).toBe(true);
    expect(await publishedBy(0)).toEqual(before);
    expect((await callUntil(0, 0, [])).refusals).toEqual([]);
    const env = { ...deployment.env, GATEHOUSE_PORT: '0', GATEHOUSE_OPS_PORT: '0' };
    const program = runProgram(['serve'], { env, cwd: deployment.folder });
    expect(await program.ended).toBe(78);
    expect(program.stderr()).toMatch(
      /secret gatehouse\/rotating-keys can't be used .*Create it without a value/,
    );
  });
});

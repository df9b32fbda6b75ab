import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type Deployment, startServers } from '../support/deployment.ts';
import { createDpopKey } from '../support/dpop.ts';
import { metric } from '../support/metrics.ts';
import { testRedisUrl } from '../support/redis.ts';
import { tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp, standing } from './apps.ts';

const clients = [
  appDocument('patient', { graceSeconds: 60 }),
  appDocument('strict-spa', { graceSeconds: 0, auth: 'none' }),
];

describe('log and metrics of spent refresh tokens that end nothing', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ clients });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const patient = () => createApp(deployment, 'patient');
  const signIn = async () => {
    const tokens = await patient().signIn(createUserAgent(deployment), { scope: allScopes });
    return tokens.refresh_token ?? '';
  };
  const familyOf = (token: string) => token.split('.')[0] ?? '';

  /** The log line of this family with this message. */
  const lineOf = (familyId: string, message: string) => {
    const written = () => deployment.programs.flatMap((program) => program.stdout().split('\n'));
    const isIt = (line: string) => line.includes(familyId) && line.includes(`"${message}"`);
    return waitFor(() => written().find(isIt), { what: message });
  };
  /** The increase of the counter of all processes during the work. */
  const counting = async (outcome: string, work: () => Promise<unknown>) => {
    const count = () => metric(deployment, 'gatehouse_refresh_tokens_repeated_total', `outcome="${outcome}"`);
    const before = await count();
    await work();
    return (await count()) - before;
  };
  const again = 'refresh token repeated';

  test('a token whose successor was used counts as superseded', async () => {
    const token = await signIn();
    const { refresh_token } = tokensOf(await patient().refresh(token));
    await patient().refresh(refresh_token);
    expect(await counting('superseded', () => patient().refresh(token))).toBe(1);
    expect(JSON.parse((await lineOf(familyOf(token), again)) ?? '')).toMatchObject({
      level: 'info',
      outcome: 'superseded',
      clientId: 'patient',
      clientAddress: '127.0.0.1',
    });
  });

  test('a token with a request for another scope counts as refused', async () => {
    const token = await signIn();
    await patient().refresh(token);
    expect(await counting('refused', () => patient().refresh(token, { scope: 'openid' }))).toBe(1);
    expect(JSON.parse((await lineOf(familyOf(token), again)) ?? '')).toMatchObject({
      level: 'info',
      outcome: 'refused',
      clientId: 'patient',
      clientAddress: '127.0.0.1',
    });
  });

  test('a token whose answer is not stored any more counts as lapsed', async () => {
    const token = await signIn();
    await patient().refresh(token);
    const redis = new Redis(testRedisUrl());
    try {
      const keys = await redis.keys(`${deployment.redisPrefix}*${familyOf(token)}*fa`);
      expect(await redis.del(keys)).toBe(1);
    } finally {
      redis.disconnect();
    }
    expect(await counting('lapsed', () => patient().refresh(token))).toBe(1);
    expect(JSON.parse((await lineOf(familyOf(token), again)) ?? '')).toMatchObject({ outcome: 'lapsed' });
  });

  test('a token without its key counts as refused, even after the grace', async () => {
    const app = createApp(deployment, 'strict-spa', 'public');
    const key = await createDpopKey();
    const proof = () => key.header('POST', `${deployment.issuer}/oauth2/token`);
    const code = await app.code(createUserAgent(deployment), { scope: allScopes });
    const redeemed = await app.redeem(code, {}, await proof());
    const { refresh_token = '' } = tokensOf(redeemed);
    await app.post('token', { grant_type: 'refresh_token', refresh_token }, await proof());
    expect(await counting('refused', () => app.refresh(refresh_token))).toBe(1);
    const line = await lineOf(familyOf(refresh_token), 'refresh token repeated without its key');
    expect(JSON.parse(line ?? '')).toMatchObject({ level: 'info', clientId: 'strict-spa' });
  });

  test('a token that Redis lost by going back to older data gets invalid_grant and ends nothing', async () => {
    const token = await signIn();
    const redis = new Redis(testRedisUrl());
    try {
      const keys = await redis.keys(`${deployment.redisPrefix}*${familyOf(token)}*`);
      const [key = ''] = keys;
      expect(keys).toHaveLength(1);
      const copy = await redis.dumpBuffer(key);
      const lost = tokensOf(await patient().refresh(token));
      await redis.restore(key, 0, copy, 'REPLACE');
      expect(await patient().refresh(lost.refresh_token)).toMatchObject({
        status: 400,
        body: { error: 'invalid_grant' },
      });
      expect(await standing(deployment, patient(), lost.access_token)).toBe('live');
    } finally {
      redis.disconnect();
    }
    const line = await lineOf(familyOf(token), 'refresh token is newer than the store');
    expect(JSON.parse(line ?? '')).toMatchObject({ level: 'warn', clientId: 'patient' });
    expect((await patient().refresh(token)).status).toBe(200);
  });
});

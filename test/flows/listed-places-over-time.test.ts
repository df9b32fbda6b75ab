import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { type ApiTokens, apiLogin, postJson } from '../support/json-api.ts';
import { newPerson, silently } from '../support/sign-in.ts';
import { decodeJwt } from '../support/test-client.ts';
import { createUserAgent, type Person } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';
import { allScopes, appDocument, createApp } from './apps.ts';

const day = 86_400;
const minutes = 300;

let deployment: InProcess;
beforeAll(async () => {
  deployment = await startInProcess([appDocument('web', { firstParty: true })], {
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_GRACE_SECONDS: '0',
  });
}, 120_000);
afterAll(() => deployment?.stop());

interface Held {
  accountId: string;
  familyId: string;
  refreshToken: string;
}

const heldFrom = ({ accessToken, refreshToken }: ApiTokens): Held => {
  const { sub, family } = decodeJwt(accessToken).claims;
  return { accountId: String(sub), familyId: String(family), refreshToken };
};

async function signIn(person?: Person): Promise<Held> {
  const held = heldFrom(await apiLogin(deployment, { ...(person ?? (await newPerson(deployment))) }));
  await listed(held);
  return held;
}

async function refresh({ refreshToken }: Held): Promise<Held> {
  const answer = await postJson(deployment, '/auth/refresh', { refreshToken });
  expect(answer.status).toBe(200);
  return heldFrom((await answer.json()) as ApiTokens);
}

const idsOf = async (accountId: string) =>
  (await deployment.ports.accountIndex.list(accountId)).map(({ id }) => id);

/** Entries are written in parallel to the answer, not before it. */
const listed = ({ accountId, familyId }: Held) =>
  waitFor(async () => (await idsOf(accountId)).includes(familyId), { what: `${familyId} in the list` });
const unlisted = ({ accountId, familyId }: Held) =>
  waitFor(async () => !(await idsOf(accountId)).includes(familyId), { what: `${familyId} off the list` });

test('a family in use stays listed until its newest refresh token expires', async () => {
  const held = await signIn();
  deployment.advance(29 * day);
  const next = await refresh(held);
  const expiry = Date.now() + 30 * day * 1000;
  const isRenewed = async () => {
    const [entry] = await deployment.ports.accountIndex.list(held.accountId);
    return entry !== undefined && Math.abs(entry.expiresAt - expiry) < 60_000;
  };
  await waitFor(isRenewed, { what: 'an entry as old as the new token' });
  deployment.advance(20 * day);
  expect(await idsOf(held.accountId)).toEqual([held.familyId]);
  await refresh(next);
});

describe('a lost entry is written again by a use five minutes later', () => {
  test('of a family', async () => {
    const held = await signIn();
    await deployment.ports.accountIndex.remove(held.accountId, held.familyId);
    deployment.advance(minutes);
    await refresh(held);
    await listed(held);
  });

  test('of a session', async () => {
    const web = createApp(deployment, 'web');
    const person = await newPerson(deployment);
    const agent = createUserAgent(deployment);
    const { access_token } = await web.signIn(agent, { scope: allScopes }, person);
    const accountId = String(decodeJwt(access_token).claims.sub);
    const sessionIds = async () => {
      const entries = await deployment.ports.accountIndex.list(accountId);
      return entries.filter(({ kind }) => kind === 'session').map(({ id }) => id);
    };
    const isListed = async () => (await sessionIds()).length === 1;
    await waitFor(isListed, { what: 'the session in the list' });
    for (const id of await sessionIds()) await deployment.ports.accountIndex.remove(accountId, id);
    deployment.advance(minutes);
    expect(await silently(agent, web)).toBe('code');
    await waitFor(isListed, { what: 'the session in the list again' });
  });
});

describe('an ended family is removed from the list', () => {
  test('by sign-out, without removing others', async () => {
    const person = await newPerson(deployment);
    const [held, other] = [await signIn(person), await signIn(person)];
    const { status } = await postJson(deployment, '/auth/logout', { refreshToken: held.refreshToken });
    expect(status).toBe(204);
    await unlisted(held);
    expect(await idsOf(other.accountId)).toEqual([other.familyId]);
  });

  test('by reuse of a spent token', async () => {
    const held = await signIn();
    await refresh(held);
    deployment.advance(1);
    const { refreshToken } = held;
    expect((await postJson(deployment, '/auth/refresh', { refreshToken })).status).toBe(401);
    await unlisted(held);
  });
});

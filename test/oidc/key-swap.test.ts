import '../../provider/oidc/runtime-notice.ts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { importJWK, SignJWT } from 'jose';
import { parseKeySet } from '../../provider/keys/key-set.ts';
import { rotateStoredKeySet } from '../../provider/keys/rotation.ts';
import { systemClock as clock } from '../../provider/lib/clock.ts';
import type { FamilyStore } from '../../provider/ports/family-store.ts';
import { allScopes, appDocument, createApp, signedOutUri, standing, tally } from '../flows/apps.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import {
  createTestClient,
  decodeJwt,
  demoApps,
  type TestClient,
  type Tokens,
  tokensOf,
} from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

const day = 86_400;
const leadSeconds = 60;
const settings = { GATEHOUSE_KEY_LEAD_SECONDS: String(leadSeconds), GATEHOUSE_KEYS_POLL_SECONDS: '1' };

let deployment: InProcess;
let web: TestClient;
let service: TestClient;
beforeAll(async () => {
  deployment = await startInProcess([appDocument('web')], settings);
  web = createApp(deployment, 'web');
  service = createTestClient(deployment, demoApps.service);
}, 120_000);
afterAll(() => deployment?.stop());

const kidOf = (token: string | undefined) => String(decodeJwt(token).header.kid);
const signIn = () => web.signIn(createUserAgent(deployment), { scope: allScopes });
const published = async () => {
  const answer = await deployment.fetch(`${deployment.issuer}/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
};
/** Rotates, waits until the new key is published, and advances the clock by the lead time. Returns the id of the new key. */
async function rotate(): Promise<string> {
  const times = { tokenSeconds: 3600, leadSeconds, keptSeconds: 30 * day };
  const rotated = await rotateStoredKeySet({ store: deployment.ports.keyStore, clock, times });
  if (rotated.outcome !== 'rotated') throw new Error('somebody else rotated');
  await waitFor(async () => (await published()).includes(rotated.kid));
  deployment.advance(leadSeconds + 1);
  return rotated.kid;
}
const logout = (tokens: Tokens) => {
  const query = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: signedOutUri };
  return createUserAgent(deployment).get(`${deployment.issuer}/oauth2/logout?${new URLSearchParams(query)}`);
};

/** Delays the storage of the first refresh token of a family until it is released. */
function holdNextFamily(): { arrived: Promise<void>; release(): void } {
  const { families } = deployment.ports;
  const open = families.open;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const arrived = new Promise<void>((tell) => {
    families.open = async (family: Parameters<FamilyStore['open']>[0]) => {
      families.open = open;
      tell();
      await released;
      return open.call(families, family);
    };
  });
  return { arrived, release };
}

/** Sends requests one after the other until a token has the given key. Returns each status, 0 for an invalid token. */
async function callUntil(kid: string): Promise<number[]> {
  const statuses: number[] = [];
  for (;;) {
    const answer = await service.clientCredentials();
    const { access_token } = tokensOf(answer);
    const { status, body } = await service.post('introspect', { token: access_token });
    statuses.push(answer.status, body.active ? status : 0);
    if (kidOf(access_token) === kid) return statuses;
  }
}

/** Changes the key during traffic, while one redemption is delayed until after the change. */
async function changeKey() {
  const before = await signIn();
  const code = await web.code(createUserAgent(deployment), { scope: allScopes });
  const held = holdNextFamily();
  const underWay = web.redeem(code);
  await held.arrived;
  const newKid = await rotate();
  const statuses = (await Promise.all([1, 2, 3, 4].map(() => callUntil(newKid)))).flat();
  held.release();
  return { before, oldKid: kidOf(before.access_token), newKid, statuses, held: tokensOf(await underWay) };
}

const kidsOf = (tokens: Tokens) => [kidOf(tokens.access_token), kidOf(tokens.id_token)];

test('no request fails while the key changes, and a request in progress keeps its key', async () => {
  const { statuses, oldKid, held } = await changeKey();
  expect(Object.keys(tally(statuses))).toEqual(['200']);
  expect(kidsOf(held)).toEqual([oldKid, oldKid]);
  expect(await standing(deployment, web, held.access_token)).toBe('live');
  expect((await web.refresh(held.refresh_token)).status).toBe(200);
});

test('tokens of the old key are valid until they expire, and new tokens have the new key', async () => {
  const { before, oldKid, newKid } = await changeKey();
  expect(await standing(deployment, web, before.access_token)).toBe('live');
  expect(kidsOf(await signIn())).toEqual([newKid, newKid]);
  expect(kidsOf(tokensOf(await web.refresh(before.refresh_token)))).toEqual([newKid, newKid]);
  expect((await published()).slice(0, 2)).toEqual([newKid, oldKid]);
});

test('a token of a leaked key is accepted only while the key is published', async () => {
  const { before, oldKid } = await changeKey();
  const { value = '' } = (await deployment.ports.keyStore.load()) ?? {};
  const leaked = parseKeySet(value).keys.find(({ kid }) => kid === oldKid);
  const { header, claims } = decodeJwt(before.access_token);
  const forged = await new SignJWT({ ...claims, exp: Number(claims.exp) + 7 * day })
    .setProtectedHeader({ ...header, alg: 'RS256' })
    .sign(await importJWK({ ...leaked?.privateJwk }, 'RS256'));
  expect(await standing(deployment, web, forged)).toBe('live');
  deployment.advance(2 * 3600);
  await waitFor(async () => !(await published()).includes(oldKid));
  expect(await standing(deployment, web, forged)).toBe('dead');
});

test('an id token of a retired key can be used for logout as long as the key is kept', async () => {
  const { before, oldKid } = await changeKey();
  deployment.advance(29 * day);
  await waitFor(async () => !(await published()).includes(oldKid));
  expect((await logout(before)).url).toBe(signedOutUri);
  deployment.advance(2 * day);
  await waitFor(async () => (await logout(before)).status === 400);
});

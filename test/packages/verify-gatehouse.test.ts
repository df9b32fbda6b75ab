import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createVerifier, type VerifierOptions } from '../../packages/verify/src/index.ts';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { type KeySet, serializeKeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet } from '../../provider/keys/rotation.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi } from '../support/json-api.ts';
import { createTestClient, decodeJwt, demoApps, tokensOf } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

let folder: string;
let deployment: FleetDeployment;
let keySet: KeySet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-verify-'));
  await saveKeys(firstKeySet(await generateKey(), Date.now()));
  const env = { GATEHOUSE_KEYS: `file:${keysFile()}`, GATEHOUSE_KEYS_POLL_SECONDS: '1' };
  deployment = await startServers({ processes: 1, env });
}, 120_000);
afterAll(async () => {
  await deployment?.stop();
  await rm(folder, { recursive: true, force: true });
});

const keysFile = () => join(folder, 'keys.json');
async function saveKeys(set: KeySet): Promise<void> {
  keySet = set;
  await writeFile(`${keysFile()}.new`, serializeKeySet(set), { mode: 0o600 });
  await rename(`${keysFile()}.new`, keysFile());
}

/** A verifier of the demo API. */
const verifierFor = (more: Partial<VerifierOptions> = {}) => {
  const { issuer, audience } = deployment;
  return createVerifier({ issuer, audience, fetch: reach, ...more });
};
/** The issuer's address leads to the process. */
const reach: typeof fetch = (url, init) => deployment.fetch(String(url), init);
const machineToken = async () =>
  tokensOf(await createTestClient(deployment, demoApps.service).clientCredentials()).access_token;

test('tokens of a person and of a service are accepted, with their claims', async () => {
  const verifier = verifierFor({ scopes: ['contracts:read'], revocation: true });
  const { accessToken } = await apiLogin(deployment);
  expect(await verifier.verify(accessToken)).toMatchObject({
    claims: decodeJwt(accessToken).claims,
    isService: false,
    roles: ['CLIENT'],
    permissions: ['contracts:read'],
    revocation: 'checked',
  });
  expect(await verifier.verify(await machineToken())).toMatchObject({
    subject: 'demo-service',
    isService: true,
    scopes: ['contracts:read'],
    revocation: 'checked',
  });
});

test('an id token, a token for userinfo, and a token of another API are refused', async () => {
  const app = createTestClient(deployment, demoApps.web);
  const { id_token: idToken, access_token: forUserinfo } = await app.signIn(createUserAgent(deployment), {
    scope: 'openid',
  });
  for (const audience of [deployment.audience, demoApps.web.id])
    await expect(verifierFor({ audience }).verify(idToken ?? '')).rejects.toMatchObject({
      code: 'invalid_token',
    });
  await expect(verifierFor().verify(forUserinfo)).rejects.toMatchObject({ code: 'invalid_token' });
  const other = verifierFor({ audience: 'https://other.example.com' });
  await expect(other.verify(await machineToken())).rejects.toMatchObject({ code: 'invalid_token' });
});

test('a revoked token is refused at once by a verifier that asks, and not by one that does not', async () => {
  const { accessToken, refreshToken } = await apiLogin(deployment);
  const asking = verifierFor({ revocation: true });
  await asking.verify(accessToken);
  await callJsonApi(deployment, '/auth/logout', { refreshToken });
  await expect(asking.verify(accessToken)).rejects.toMatchObject({ code: 'invalid_token', status: 401 });
  await verifierFor().verify(accessToken);
});

test('an audience that Gatehouse does not know is a mistake in the settings: 503, even if outages are accepted', async () => {
  const { issuer } = deployment;
  const verifier = verifierFor({ audience: issuer, revocation: { whenUnavailable: 'accept' } });
  const app = createTestClient(deployment, demoApps.web);
  const { access_token: token } = await app.signIn(createUserAgent(deployment), { scope: 'openid' });
  await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'revocation_unavailable' });
});

test('a rotation of keys refuses no token, even if the new key signs before the verifier has seen it', async () => {
  const verifier = verifierFor({ keyCache: { cooldownSeconds: 0 } });
  const before = await machineToken();
  await verifier.verify(before);
  const [old] = keySet.keys;
  if (!old) throw new Error('there is no key');
  const now = Date.now();
  const next = { ...(await generateKey()), publishedAt: now, signsFrom: now + 1 };
  await saveKeys({ keys: [{ ...old, retiredAt: now }, next] });
  const after = await waitFor(async () => {
    const token = await machineToken();
    return decodeJwt(token).header.kid === next.kid && token;
  });
  await verifier.verify(after);
  await verifier.verify(before);
});

test('while Gatehouse is away, a verifier that has the keys goes on; one without them, or one that asks, answers 503', async () => {
  const token = await machineToken();
  const [knowing, asking, tolerant] = [
    verifierFor(),
    verifierFor({ revocation: true }),
    verifierFor({ revocation: { whenUnavailable: 'accept' } }),
  ];
  for (const verifier of [knowing, asking, tolerant]) await verifier.verify(token);
  for (const program of deployment.programs) program.kill('SIGKILL');
  await Promise.all(deployment.programs.map(({ ended }) => ended));
  try {
    expect(await knowing.verify(token)).toMatchObject({ subject: 'demo-service' });
    expect(await tolerant.verify(token)).toMatchObject({ revocation: 'unchecked' });
    await expect(asking.verify(token)).rejects.toMatchObject({ code: 'revocation_unavailable', status: 503 });
    await expect(verifierFor().verify(token)).rejects.toMatchObject({
      code: 'keys_unavailable',
      status: 503,
    });
  } finally {
    await deployment.restart(0);
  }
});

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bearer, createTestClient, decodeJwt, tokensOf } from '../support/test-client.ts';
import { installedWithNpm } from './support/install.ts';
import { spoiled, tokenForTheIssuer, tokensOfPerson } from './support/tokens.ts';
import { type ConnectWorld, startWorld } from './support/world.ts';

let world: ConnectWorld;
beforeAll(async () => {
  const packages = await installedWithNpm('aws-jwt-verify');
  world = await startWorld('aws-jwt-verify', { packages, https: true, withoutBrowser: true });
  await world.write('service.js', world.page.block('js'));
  await world.start({ program: process.execPath, args: ['service.js'] });
}, 300_000);
afterAll(() => world?.stop());

async function call(headers: Record<string, string> = {}) {
  const answer = await fetch(world.addresses.app, { headers });
  const text = await answer.text();
  return {
    status: answer.status,
    challenge: answer.headers.get('www-authenticate'),
    body: text === '' ? undefined : JSON.parse(text),
  };
}

test('a service lets people and services with the scope in', async () => {
  const person = await tokensOfPerson(world);
  expect(await call(bearer(person.access_token))).toMatchObject({
    status: 200,
    body: { caller: decodeJwt(person.access_token).claims.sub, client: 'demo-first-party' },
  });
  const secret = world.page.secrets.CLIENT_SECRET ?? '';
  const report = createTestClient(world.deployment, { id: 'nightly-report', secret });
  const { access_token: token } = tokensOf(await report.clientCredentials());
  expect(await call(bearer(token))).toMatchObject({ status: 200, body: { caller: 'nightly-report' } });
});

test('a service refuses everything else, and says why', async () => {
  const { access_token: good, id_token: idToken, refresh_token: refreshToken } = await tokensOfPerson(world);
  const invalid = { status: 401, challenge: 'Bearer error="invalid_token"' };
  for (const token of [spoiled(good), idToken, refreshToken, await tokenForTheIssuer(world)])
    expect(await call(bearer(String(token)))).toMatchObject(invalid);
  expect(await call()).toMatchObject({ status: 401, challenge: 'Bearer' });
  const { api: resource } = world.addresses;
  const narrow = await tokensOfPerson(world, { scope: 'openid email', resource });
  expect(await call(bearer(narrow.access_token))).toMatchObject({
    status: 403,
    challenge: 'Bearer error="insufficient_scope"',
  });
});

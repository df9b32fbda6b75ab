import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { multiFactorAcr } from '../../provider/lib/password-sign-in.ts';
import { appOrigin, appPost, appSettings } from '../support/app-passkeys.ts';
import { launchBrowser, type TestBrowser } from '../support/chromium.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import { newPerson } from '../support/sign-in.ts';
import { decodeJwt } from '../support/test-client.ts';
import { startTlsFront, type TlsFront } from '../support/tls-front.ts';
import { selfSigned } from './self-signed.ts';

const issuer = 'https://login.example';
const strangerOrigin = 'https://stranger.example';

const webApp = (id: string, origin: string) => ({
  id,
  name: id,
  auth: 'none',
  firstParty: true,
  grants: ['password', 'refresh_token', 'authorization_code'],
  redirectUris: [`${origin}/callback`],
  origins: [origin],
  scopes: ['openid', 'profile', 'email', 'contracts:read'],
});

/** What a web app with its own form runs. It uses only what browsers have. */
const script = `
  const post = async (path, body, headers = {}) => {
    const answer = await fetch('${issuer}' + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const create = (options) =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  const get = (options) =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  async function usePasskey(ceremony, paths, headers) {
    const { challenge, options } = (await post(paths.options, {}, headers)).body;
    try {
      const credential = await ceremony(options);
      return await post(paths.answer, { challenge, credential: credential.toJSON() }, headers);
    } catch (error) {
      return { status: 0, body: { code: error.name } };
    }
  }`;

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

const usePasskey = (page: Page, ceremony: 'create' | 'get', paths: object, token = '') =>
  page.evaluate<Answer>(
    `usePasskey(${ceremony}, ${JSON.stringify(paths)}, ${JSON.stringify(token === '' ? {} : { authorization: `Bearer ${token}` })})`,
  );

const adding = { options: '/user/passkeys/options', answer: '/user/passkeys' };
const signingIn = { options: '/auth/passkey/options', answer: '/auth/passkey/login' };

describe('a web app with its own form on another domain than the issuer', () => {
  let deployment: Deployment;
  let front: TlsFront;
  let apps: ReturnType<typeof createServer>;
  let browser: TestBrowser;

  beforeAll(async () => {
    front = await startTlsFront();
    deployment = await startServers({
      processes: 1,
      redis: false,
      issuer: () => issuer,
      clients: [webApp('shop', appOrigin), webApp('stranger', strangerOrigin)],
      env: { ...appSettings, GATEHOUSE_DEFAULT_CLIENT: 'shop' },
    });
    front.passTo(deployment.origins[0] ?? '');
    apps = createServer(selfSigned(), (_request, response) => {
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`<!doctype html><title>app</title><script>${script}</script>`);
    });
    await new Promise<void>((resolve) => apps.listen(0, 'localhost', resolve));
    const { port } = apps.address() as AddressInfo;
    browser = await launchBrowser({
      ignoreHTTPSErrors: true,
      hosts: {
        'login.example': Number(new URL(front.origin).port),
        'shop.example': port,
        'stranger.example': port,
      },
    });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    apps?.closeAllConnections();
    await new Promise((resolve) => apps?.close(resolve));
    await deployment?.stop();
    await front?.stop();
  });

  test('uses passkeys of the issuer’s domain in Chromium, and an app that is not configured cannot', async () => {
    const page = await browser.context.newPage();
    const devtools = await browser.context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const person = await newPerson(deployment);
    const { accessToken } = await apiLogin(deployment, { ...person });

    await page.goto(appOrigin);
    const added = await usePasskey(page, 'create', adding, accessToken);
    expect(added).toMatchObject({ status: 201, body: { id: expect.any(String) } });
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials.map(({ rpId }) => rpId)).toEqual(['login.example']);

    const { status, body } = await usePasskey(page, 'get', signingIn);
    expect(status).toBe(200);
    expect(decodeJwt(String(body.accessToken)).claims).toMatchObject({
      email: person.email,
      client_id: 'shop',
      acr: multiFactorAcr,
    });

    await page.goto(strangerOrigin);
    expect(await usePasskey(page, 'get', signingIn)).toEqual({ status: 0, body: { code: 'SecurityError' } });
    await page.close();
  });

  test('is named in the file that the browser reads', async () => {
    const answer = await deployment.fetch(`${issuer}/.well-known/webauthn`);
    expect(await answer.json()).toEqual({ origins: [appOrigin] });
    expect((await appPost(deployment, '/auth/passkey/options', {})).status).toBe(200);
  });
});

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
  scopes: ['openid', 'profile', 'email', 'contracts:read'],
});

/** What a web app with its own form runs. It uses only what browsers have. */
async function useApi(
  page: Page,
  kind: 'create' | 'get',
  paths: { options: string; answer: string },
  token = '',
) {
  return page.evaluate(
    async ({ kind, paths, token, issuer }) => {
      const post = async (path: string, body: object) => {
        const answer = await fetch(`${issuer}${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify(body),
        });
        return { status: answer.status, body: await answer.json() };
      };
      const offer = await post(paths.options, {});
      if (offer.status !== 200) return offer;
      const { challenge, options } = offer.body;
      try {
        const credential =
          kind === 'create'
            ? await navigator.credentials.create({
                publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
              })
            : await navigator.credentials.get({
                publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
              });
        return await post(paths.answer, {
          challenge,
          credential: (credential as PublicKeyCredential).toJSON(),
        });
      } catch (error) {
        return { status: 0, body: { code: (error as Error).name } };
      }
    },
    { kind, paths, token, issuer },
  );
}

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
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>app</title>');
    });
    await new Promise<void>((resolve) => apps.listen(0, '127.0.0.1', resolve));
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
    const added = await useApi(page, 'create', adding, accessToken);
    expect(added).toMatchObject({ status: 201, body: { id: expect.any(String) } });
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials.map(({ rpId }) => rpId)).toEqual(['login.example']);

    const { status, body } = await useApi(page, 'get', signingIn);
    expect(status).toBe(200);
    expect(decodeJwt(body.accessToken).claims).toMatchObject({
      email: person.email,
      client_id: 'shop',
      acr: multiFactorAcr,
    });

    await page.goto(strangerOrigin);
    expect(await useApi(page, 'get', signingIn)).toEqual({ status: 0, body: { code: 'SecurityError' } });
    await page.close();
  });

  test('is named in the file that the browser reads', async () => {
    const answer = await deployment.fetch(`${issuer}/.well-known/webauthn`);
    expect(await answer.json()).toEqual({ origins: [appOrigin] });
    expect((await appPost(deployment, '/auth/passkey/options', {})).status).toBe(200);
  });
});

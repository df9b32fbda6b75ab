import '../../provider/oidc/runtime-notice.ts';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Provider } from 'oidc-provider';
import {
  findInteraction,
  type PendingInteraction,
  stepUpResult,
} from '../../provider/interactions/interaction.ts';
import {
  multiFactorAcr,
  multiFactorSignIn,
  passwordAcr,
  passwordSignIn,
  reachableAcrs,
} from '../../provider/lib/password-sign-in.ts';
import { rememberClient } from '../../provider/oidc/current-request.ts';
import { interactionPolicy } from '../../provider/oidc/interaction-policy.ts';
import { saveCode } from '../../provider/oidc/patches/authorization-codes.ts';
import type { Method } from '../../provider/oidc/patches/internals.ts';
import { loginAccount } from '../../provider/oidc/patches/sessions.ts';

const appUri = 'https://app.example.com/callback';
const now = () => Math.floor(Date.now() / 1000);

/** What the browser ends at: a page that asks for something, or the answer to the app. */
interface End {
  url: string;
  asks?: string;
  error?: string;
  claims?: SignInClaims;
}

interface SignInClaims {
  acr?: string;
  amr?: string[];
  auth_time?: number;
}

/** The protocol with our policy, over HTTP. The pages are replaced by addresses that finish a step at once. */
describe.each([true, false])(
  'levels of sign-in, where a second factor can be set up: %p',
  (hasSecondFactor) => {
    let server: Server;
    let issuer: string;
    let provider: Provider;
    let cookies: Map<string, string>;
    /** The token version of the account: 'sign out everywhere' increases it. */
    let tokenVersion: number;

    beforeEach(async () => {
      // The library warns about its store in memory and its own keys.
      for (const name of ['warn', 'info'] as const) jest.spyOn(console, name).mockImplementation(() => {});
      cookies = new Map();
      tokenVersion = 1;
      server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const account = { accountId: 'user_1', permissions: [], claims: async () => ({ sub: 'user_1' }) };
      provider = new Provider(issuer, {
        clients: [
          {
            client_id: 'app',
            token_endpoint_auth_method: 'none',
            redirect_uris: [appUri],
            grant_types: ['authorization_code'],
          },
        ],
        acrValues: [...reachableAcrs(hasSecondFactor)],
        claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
        features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
        pkce: { required: () => false },
        findAccount: async ({ oidc: { session } }) =>
          session && Object(session).tokenVersion !== tokenVersion ? undefined : account,
        loadExistingGrant: async ({ oidc }) => {
          rememberClient(oidc, {} as never);
          const grant = new oidc.provider.Grant({ accountId: 'user_1', clientId: 'app' });
          grant.addOIDCScope('openid');
          await grant.save();
          return grant;
        },
        interactions: {
          policy: interactionPolicy({ permitted: (scopes) => [...scopes] }, reachableAcrs(hasSecondFactor)),
          url: (_ctx, { uid }) => `/page/${uid}`,
        },
      });
      const fields = [...provider.Session.IN_PAYLOAD, 'tokenVersion'];
      Object.defineProperty(provider.Session, 'IN_PAYLOAD', { get: () => fields });
      const sessions = provider.Session.prototype as unknown as { loginAccount: Method };
      const browserBinding = { check: () => true };
      sessions.loginAccount = loginAccount(sessions.loginAccount, { browserBinding } as never);
      const codes = provider.AuthorizationCode.prototype as unknown as { save: Method };
      const services = {
        clientTokenVersions: { of: () => 0 },
        revocation: { isSignedOut: async () => false },
      };
      codes.save = saveCode(codes.save, services as never);
    });
    afterEach(() => {
      jest.useRealTimers();
      jest.restoreAllMocks();
      server.close();
    });

    /** `/page/{uid}` says what is missing. `?do=password`, `both`, `factor` or `keep` finishes the step. */
    async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const { pathname, searchParams } = new URL(request.url ?? '', issuer);
      const [, uid] = /^\/page\/(.+)$/.exec(pathname) ?? [];
      if (uid === undefined) return provider.callback()(request, response) as unknown as Promise<void>;
      const interaction = await findInteraction(provider, request, response, uid);
      const done = searchParams.get('do');
      if (done === null) return void response.end(pageFor(interaction));
      const methods = done === 'password' ? passwordSignIn : multiFactorSignIn(['pwd', 'otp']);
      const login = { accountId: 'user_1', ...methods, tokenVersion, ts: now() };
      const selectAccount = { select_account: {} };
      const result = done === 'factor' ? stepUpResult(interaction, methods) : { login, ...selectAccount };
      await provider.interactionFinished(request, response, done === 'keep' ? selectAccount : result);
    }

    const pageFor = ({ stepUp, needsSecondFactor }: PendingInteraction) =>
      stepUp ? 'second factor' : needsSecondFactor ? 'both factors' : 'password';

    async function go(url: string): Promise<End> {
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        cookies.set(name, value);
      }
      const location = response.headers.get('location');
      if (location === null) return { asks: await response.text(), url };
      const next = new URL(location, url);
      if (!next.href.startsWith(appUri)) return go(next.href);
      const error = next.searchParams.get('error');
      if (error !== null) return { error, url };
      return { claims: await claimsOf(String(next.searchParams.get('code'))), url };
    }

    async function claimsOf(code: string): Promise<SignInClaims> {
      const body = { grant_type: 'authorization_code', client_id: 'app', redirect_uri: appUri, code };
      const answer = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(body) });
      const { id_token } = (await answer.json()) as { id_token: string };
      const { acr, amr, auth_time } = JSON.parse(
        Buffer.from(id_token.split('.')[1] ?? '', 'base64url').toString(),
      ) as Required<SignInClaims>;
      return { acr, amr, auth_time };
    }

    const ask = (more: Record<string, string> = {}) => {
      const base = { client_id: 'app', redirect_uri: appUri, response_type: 'code', scope: 'openid' };
      return go(`${issuer}/auth?${new URLSearchParams({ ...base, ...more })}`);
    };
    const answer = ({ url }: { url: string }, done: 'password' | 'both' | 'factor' | 'keep') =>
      go(`${url}?do=${done}`);
    const signedIn = async (done: 'password' | 'both') => answer(await ask({ prompt: 'login' }), done);
    const essential = (acr: object) => ({
      claims: JSON.stringify({ id_token: { acr: { essential: true, ...acr } } }),
    });
    const level1 = { acr: passwordAcr, amr: ['pwd'] };
    const level2 = { acr: multiFactorAcr, amr: ['pwd', 'otp', 'mfa'] };

    /** Moves the time of the protocol, which reads `Date`. */
    const wait = (seconds: number) =>
      jest.useFakeTimers({
        now: Date.now() + seconds * 1000,
        doNotFake: [
          'hrtime',
          'nextTick',
          'performance',
          'queueMicrotask',
          'setImmediate',
          'clearImmediate',
        ].concat(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout']) as never,
      });

    test('discovery names the levels that can be reached', async () => {
      const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
      expect(discovery).toMatchObject({
        acr_values_supported: hasSecondFactor ? [passwordAcr, multiFactorAcr] : [passwordAcr],
      });
    });

    if (!hasSecondFactor) {
      test.each([essential({ value: multiFactorAcr }), essential({ values: [multiFactorAcr] })])(
        'an essential second factor is refused before a password is typed: %j',
        async (request) => {
          expect(await ask(request)).toMatchObject({ error: 'unmet_authentication_requirements' });
          await signedIn('password');
          expect(await ask(request)).toMatchObject({ error: 'unmet_authentication_requirements' });
        },
      );

      test('a second factor by acr_values is a wish, so the person is asked for nothing more', async () => {
        await signedIn('password');
        expect(await ask({ acr_values: multiFactorAcr })).toMatchObject({ claims: level1 });
      });
      return;
    }

    test('with the lower level there, only the second factor is asked for, once, and auth_time stays', async () => {
      let auth_time = (await signedIn('password')).claims?.auth_time;
      wait(100);
      for (const request of [
        { acr_values: multiFactorAcr },
        essential({ value: multiFactorAcr }),
        essential({ values: ['urn:other', multiFactorAcr] }),
      ]) {
        const page = await ask(request);
        expect(page).toMatchObject({ asks: 'second factor' });
        expect(await answer(page, 'factor')).toMatchObject({ claims: { ...level2, auth_time } });
        expect(await ask(request)).toMatchObject({ claims: { ...level2, auth_time } });
        auth_time = (await signedIn('password')).claims?.auth_time;
      }
    });

    test('the second factor alone does not revive a session that was signed out everywhere', async () => {
      await signedIn('password');
      const page = await ask({ acr_values: multiFactorAcr });
      tokenVersion += 1;
      expect(await answer(page, 'factor')).toMatchObject({ asks: 'both factors' });
    });

    test('without a session the whole sign-in is asked for, once', async () => {
      const page = await ask({ acr_values: multiFactorAcr });
      expect(page).toMatchObject({ asks: 'both factors' });
      expect(await answer(page, 'both')).toMatchObject({ claims: level2 });
    });

    test('a sign-in that is too old is asked for as a whole, also at the higher level', async () => {
      await signedIn('both');
      wait(100);
      const fresh = { max_age: '60', acr_values: multiFactorAcr };
      const page = await ask(fresh);
      expect(page).toMatchObject({ asks: 'both factors' });
      expect(await answer(page, 'both')).toMatchObject({ claims: { ...level2, auth_time: now() } });
      expect(await ask(fresh)).toMatchObject({ claims: level2 });
      await signedIn('password');
      wait(200);
      expect(await ask(fresh)).toMatchObject({ asks: 'both factors' });
    });

    test('prompt=select_account asks for both factors of another account, and only for the missing one of this account', async () => {
      await signedIn('password');
      const choose = { prompt: 'select_account', ...essential({ value: multiFactorAcr }) };
      const other = await ask(choose);
      expect(other).toMatchObject({ asks: 'both factors' });
      expect(await answer(other, 'both')).toMatchObject({ claims: level2 });
      await signedIn('password');
      const kept = await answer(await ask(choose), 'keep');
      expect(kept).toMatchObject({ asks: 'second factor' });
      expect(await answer(kept, 'factor')).toMatchObject({ claims: level2 });
    });

    test('a password is enough for a request that names its level or none', async () => {
      for (const request of [
        {},
        { acr_values: passwordAcr },
        { acr_values: `${multiFactorAcr} ${passwordAcr}` },
      ])
        expect(await ask(request)).toMatchObject({ asks: 'password' });
    });

    test('prompt=login asks for the whole sign-in', async () => {
      await signedIn('both');
      const page = await ask({ prompt: 'login', acr_values: multiFactorAcr });
      expect(page).toMatchObject({ asks: 'both factors' });
      expect(await answer(page, 'both')).toMatchObject({ claims: level2 });
    });

    test('a level that the person did not reach ends in an error or a lower level, and never in a loop', async () => {
      await signedIn('password');
      const wished = await ask({ acr_values: multiFactorAcr });
      expect(await answer(wished, 'password')).toMatchObject({ claims: level1 });
      const required = await ask(essential({ value: multiFactorAcr }));
      const error = 'unmet_authentication_requirements';
      expect(await answer(required, 'password')).toMatchObject({ error });
    });

    test('prompt=none gives what the session has, or an error if the level is essential', async () => {
      await signedIn('password');
      const none = { prompt: 'none' };
      expect(await ask({ ...none, acr_values: multiFactorAcr })).toMatchObject({ claims: level1 });
      const required = essential({ value: multiFactorAcr });
      expect(await ask({ ...none, ...required })).toMatchObject({ error: 'login_required' });
      await answer(await ask(required), 'factor');
      expect(await ask({ ...none, ...required })).toMatchObject({ claims: level2 });
    });

    test('an acr_values in the same request does not weaken an essential acr', async () => {
      await signedIn('password');
      const both = { ...essential({ value: multiFactorAcr }), acr_values: passwordAcr };
      expect(await ask(both)).toMatchObject({ asks: 'second factor' });
    });

    test('a session of the higher level meets a request for the lower one, whose value an essential acr gets', async () => {
      await signedIn('both');
      expect(await ask({ acr_values: passwordAcr })).toMatchObject({ claims: level2 });
      const values = ['urn:other', passwordAcr];
      for (const request of [essential({ value: passwordAcr }), essential({ values })])
        expect(await ask(request)).toMatchObject({ claims: { ...level2, acr: passwordAcr } });
    });

    test('values of acr that are no list are refused', async () => {
      expect(await ask(essential({ values: multiFactorAcr }))).toMatchObject({ error: 'invalid_request' });
    });
  },
);

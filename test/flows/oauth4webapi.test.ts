import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import { type Deployment, demo, deployments } from '../support/deployment.ts';
import { bearer, demoApps } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';

const apps = {
  'demo-web': {
    client: { client_id: 'demo-web' },
    auth: oauth.ClientSecretBasic(demoApps.web.secret),
    redirectUri: demoApps.web.redirectUri,
  },
  'demo-spa': {
    client: { client_id: 'demo-spa' },
    auth: oauth.None(),
    redirectUri: demoApps.spa.redirectUri,
  },
};

/** Uses the unchanged library. */
describe.each(deployments)('oauth4webapi on $name', ({ start }) => {
  let deployment: Deployment;
  let as: oauth.AuthorizationServer;
  /** The last request, which a test can send again. */
  let sent: { url: string; init: RequestInit };
  /** The type is `never` because each function of the library has a different type for it. */
  let http: { [oauth.allowInsecureRequests]: true; [oauth.customFetch]: never };
  beforeAll(async () => {
    deployment = await start();
    const send = async (url: string | URL | Request, init: RequestInit = {}) => {
      sent = { url: String(url), init: { ...init, headers: new Headers(init.headers) } };
      return deployment.fetch(url, init);
    };
    http = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: send as never };
    const issuer = new URL(deployment.issuer);
    as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
  }, 120_000);
  afterAll(() => deployment?.stop());

  const sendAgain = () => deployment.fetch(sent.url, sent.init);

  async function signIn(
    app: keyof typeof apps,
    scope: string,
    options: { dpop?: oauth.DPoPHandle; par?: boolean } = {},
  ) {
    const { client, auth, redirectUri } = apps[app];
    const { dpop, par } = options;
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const nonce = oauth.generateRandomNonce();
    const url = new URL(as.authorization_endpoint ?? '');
    const parameters = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    if (par) {
      const options = { ...http, ...(dpop ? { DPoP: dpop } : {}) };
      const pushed = await oauth.pushedAuthorizationRequest(as, client, auth, parameters, options);
      const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
      url.search = new URLSearchParams({ client_id: client.client_id, request_uri }).toString();
    } else url.search = parameters.toString();
    const agent = createUserAgent(deployment);
    const callback = new URL(await signInAndAgree(agent, await agent.get(url.href), demo));
    // This also checks `iss` (RFC 9207).
    const returned = oauth.validateAuthResponse(as, client, callback, state);
    const answer = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      auth,
      returned,
      redirectUri,
      verifier,
      {
        ...http,
        ...(dpop ? { DPoP: dpop } : {}),
      },
    );
    const checks = { expectedNonce: nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, answer, checks);
    await oauth.validateApplicationLevelSignature(as, answer, http);
    return {
      client,
      auth,
      tokens,
      sub: oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '',
      authorizeUrl: url,
    };
  }

  /** Checks a request's token as an API that uses the library does. */
  const accepts = (headers: Headers | Record<string, string>, requireDPoP = false) =>
    oauth.validateJwtAccessToken(
      as,
      new Request(`${deployment.audience}/contracts`, { headers }),
      deployment.audience,
      {
        ...http,
        requireDPoP,
      },
    );

  test.each(['demo-web', 'demo-spa'] as const)(
    '%s: code, access token, refresh, userinfo, revocation',
    async (app) => {
      const { client, auth, tokens, sub } = await signIn(app, 'openid email contracts:read');
      expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 900 });
      const claims = await accepts(bearer(tokens.access_token));
      expect(claims).toMatchObject({ sub, client_id: app, aud: deployment.audience });

      const userinfo = async (token: string) =>
        oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, token, http));
      expect(await userinfo(tokens.access_token)).toEqual({ sub, email: demo.email, email_verified: true });

      const again = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token ?? '', http);
      const refreshed = await oauth.processRefreshTokenResponse(as, client, again);
      await oauth.validateApplicationLevelSignature(as, again, http);
      expect(await accepts(bearer(refreshed.access_token))).toMatchObject({ sub, scope: claims.scope });
      expect(oauth.getValidatedIdTokenClaims(refreshed)).toMatchObject({ sub, aud: app });

      const revoke = async (token: string) =>
        oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, token, http));
      await revoke(refreshed.access_token);
      await expect(userinfo(refreshed.access_token)).rejects.toThrow();
      expect(await userinfo(tokens.access_token)).toMatchObject({ sub });
      await revoke(refreshed.refresh_token ?? '');
      await expect(userinfo(tokens.access_token)).rejects.toThrow();
      const dead = await oauth.refreshTokenGrantRequest(
        as,
        client,
        auth,
        refreshed.refresh_token ?? '',
        http,
      );
      await expect(oauth.processRefreshTokenResponse(as, client, dead)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    },
  );

  test("introspection returns the token's claims, and reports a revocation", async () => {
    const { client, auth, tokens, sub } = await signIn('demo-web', 'openid contracts:read');
    const introspect = async (token: string) =>
      oauth.processIntrospectionResponse(
        as,
        client,
        await oauth.introspectionRequest(as, client, auth, token, http),
      );
    const claims = await accepts(bearer(tokens.access_token));
    const told = await introspect(tokens.access_token);
    expect(told).toMatchObject({ active: true, sub, token_type: 'Bearer', iss: deployment.issuer });
    for (const name of ['aud', 'client_id', 'scope', 'iat', 'exp', 'jti', 'permissions'])
      expect([name, told[name]]).toEqual([name, claims[name]]);
    expect(await introspect(tokens.refresh_token ?? '')).toMatchObject({
      active: true,
      client_id: 'demo-web',
      sub,
    });
    expect(await introspect(tokens.id_token ?? '')).toEqual({ active: false });
    expect(await introspect('made-up')).toEqual({ active: false });
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, auth, tokens.refresh_token ?? '', http),
    );
    expect(await introspect(tokens.access_token)).toEqual({ active: false });
    expect(await introspect(tokens.refresh_token ?? '')).toEqual({ active: false });
  });

  test("the library's check refuses an id token and a token for userinfo", async () => {
    const { tokens } = await signIn('demo-web', 'openid');
    await expect(accepts(bearer(tokens.id_token ?? ''))).rejects.toThrow('JWT "typ"');
    await expect(accepts(bearer(tokens.access_token))).rejects.toThrow('"aud"');
  });

  test.each(['demo-web', 'demo-spa'] as const)('%s can use a pushed request (RFC 9126) once', async (app) => {
    const { tokens, authorizeUrl } = await signIn(app, 'openid contracts:read', { par: true });
    expect(await accepts(bearer(tokens.access_token))).toMatchObject({ scope: 'openid contracts:read' });
    const second = await createUserAgent(deployment).get(authorizeUrl.href);
    expect([second.status, second.html.includes('invalid_request_uri')]).toEqual([400, true]);
  });

  test.each(['demo-web', 'demo-spa'] as const)('%s binds its tokens to a key (RFC 9449)', async (app) => {
    const keyPair = await oauth.generateKeyPair('ES256');
    const dpop = oauth.DPoP({}, keyPair);
    const { client, auth, tokens, sub } = await signIn(app, 'openid contracts:read', { dpop });
    expect(tokens.token_type).toBe('dpop');

    const asked = await oauth.userInfoRequest(as, client, tokens.access_token, { ...http, DPoP: dpop });
    expect(await oauth.processUserInfoResponse(as, client, sub, asked)).toMatchObject({ sub });
    expect((await sendAgain()).status).toBe(401);
    const unproven = { headers: bearer(tokens.access_token) };
    expect((await deployment.fetch(as.userinfo_endpoint ?? '', unproven)).status).toBe(401);
    expect((await deployment.fetch(`${deployment.issuer}/user/profile`, unproven)).status).toBe(401);
    const others = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const stolen = await oauth.userInfoRequest(as, client, tokens.access_token, { ...http, DPoP: others });
    expect(stolen.status).toBe(401);

    const options = { ...http, DPoP: dpop };
    const api = new URL(`${deployment.audience}/contracts`);
    await oauth.protectedResourceRequest(tokens.access_token, 'GET', api, new Headers(), null, options);
    const claims = await accepts(new Headers(sent.init.headers), true);
    expect(claims.cnf).toEqual({ jkt: await dpop.calculateThumbprint() });
    await expect(accepts(bearer(tokens.access_token))).rejects.toThrow();

    const again = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token ?? '', options);
    const refreshed = await oauth.processRefreshTokenResponse(as, client, again);
    expect(refreshed.token_type).toBe('dpop');
    const next = await oauth.userInfoRequest(as, client, refreshed.access_token, options);
    expect(next.status).toBe(200);
  });

  test("a public client's refresh token needs its key and an unused proof", async () => {
    const dpop = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const others = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    const { client, auth, tokens } = await signIn('demo-spa', 'openid', { dpop });
    const refresh = async (token: string | undefined, key: oauth.DPoPHandle | undefined) => {
      const options = { ...http, ...(key ? { DPoP: key } : {}) };
      const answer = await oauth.refreshTokenGrantRequest(as, client, auth, token ?? '', options);
      return oauth.processRefreshTokenResponse(as, client, answer);
    };
    const refused = { error: 'invalid_grant' };
    await expect(refresh(tokens.refresh_token, undefined)).rejects.toMatchObject(refused);
    await expect(refresh(tokens.refresh_token, others)).rejects.toMatchObject(refused);
    const { refresh_token: second } = await refresh(tokens.refresh_token, dpop);
    const { headers, body } = sent.init;
    const replayed = new URLSearchParams(String(body));
    replayed.set('refresh_token', second ?? '');
    const replay = await deployment.fetch(sent.url, {
      method: 'POST',
      headers: headers ?? {},
      body: replayed,
    });
    expect([replay.status, ((await replay.json()) as { error: string }).error]).toEqual([
      400,
      'invalid_dpop_proof',
    ]);
    // Neither attempt spent the owner's token.
    expect((await refresh(second, dpop)).refresh_token).toBeDefined();
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { type Deployment, demo, deployments } from '../support/deployment.ts';
import { createUserAgent, signInAndAgree, type UserAgent } from '../support/user-agent.ts';
import { allScopes } from './apps.ts';
import { approve, deviceFlow, enterCode, tvDocument } from './devices.ts';

const redirectUri = 'http://localhost:8080/callback';
const clients = [tvDocument('tv')];

describe.each(deployments)('openid-client on $name', ({ start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start({ clients, env: deviceFlow });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const discover = (id: string) =>
    client.discovery(new URL(deployment.issuer), id, `${id}-secret`, undefined, {
      execute: [client.allowInsecureRequests],
      [client.customFetch]: deployment.fetch as client.CustomFetch,
    });

  describe('the authorization code flow', () => {
    let config: client.Configuration;
    beforeAll(async () => {
      config = await discover('demo-web');
    });

    async function signIn(scope: string, agent: UserAgent) {
      const verifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope,
        state,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      const callback = await signInAndAgree(agent, await agent.get(url.href), demo);
      return client.authorizationCodeGrant(config, new URL(callback), {
        pkceCodeVerifier: verifier,
        expectedState: state,
      });
    }

    test('signs in, refreshes, reads userinfo, introspects, revokes and signs out', async () => {
      const agent = createUserAgent(deployment);
      const tokens = await signIn('openid email contracts:read', agent);
      expect(tokens.expires_in).toBe(900);
      const claims = tokens.claims();
      expect(claims?.sub).toMatch(/^user_/);

      const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '');
      expect(userinfo).toMatchObject({ email: demo.email, email_verified: true });

      const introspected = await client.tokenIntrospection(config, tokens.access_token);
      expect(introspected).toMatchObject({ active: true, aud: deployment.audience, client_id: 'demo-web' });

      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
      expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
      await client.tokenRevocation(config, refreshed.access_token);
      expect(await client.tokenIntrospection(config, refreshed.access_token)).toEqual({ active: false });
      expect((await client.tokenIntrospection(config, tokens.access_token)).active).toBe(true);

      const logout = client.buildEndSessionUrl(config, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: 'http://localhost:8080/',
        state: 'bye',
      });
      const asked = await agent.get(logout.href);
      const left = await agent.submit(asked, { logout: 'yes' });
      expect(left.url).toBe('http://localhost:8080/?state=bye');
      await expect(client.refreshTokenGrant(config, refreshed.refresh_token ?? '')).rejects.toMatchObject({
        error: 'invalid_grant',
      });
      expect((await client.tokenIntrospection(config, tokens.access_token)).active).toBe(false);
    });
  });

  describe('the device flow', () => {
    let config: client.Configuration;
    beforeAll(async () => {
      config = await discover('tv');
    });

    /** The library waits five seconds between two polls unless the answer gives another interval. */
    const begin = async () => ({
      ...(await client.initiateDeviceAuthorization(config, { scope: allScopes })),
      interval: 1,
    });

    test('waits, gets tokens, refreshes them, reads userinfo and revokes', async () => {
      const begun = await begin();
      const polled = client.pollDeviceAuthorizationGrant(config, begun);
      await approve(deployment, createUserAgent(deployment), begun.user_code, demo);
      const tokens = await polled;
      const sub = tokens.claims()?.sub ?? '';
      const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub);
      expect(userinfo).toMatchObject({ email: demo.email });
      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
      expect(refreshed.claims()?.sub).toBe(sub);
      await client.tokenRevocation(config, refreshed.refresh_token ?? '');
      expect(await client.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
    }, 60_000);

    test('gets access_denied if the person denies it', async () => {
      const begun = await begin();
      const polled = client.pollDeviceAuthorizationGrant(config, begun);
      const agent = createUserAgent(deployment);
      await agent.submit(await enterCode(deployment, agent, begun.user_code), { abort: 'yes' });
      await expect(polled).rejects.toMatchObject({ error: 'access_denied' });
    }, 60_000);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { type Deployment, demo, deployments } from '../support/deployment.ts';
import { createUserAgent, signInAndAgree, type UserAgent } from '../support/user-agent.ts';

const redirectUri = 'http://localhost:8080/callback';

describe.each(deployments)('the authorization code flow by openid-client, on $name', ({ start }) => {
  let deployment: Deployment;
  let config: client.Configuration;
  beforeAll(async () => {
    deployment = await start();
    config = await client.discovery(new URL(deployment.issuer), 'demo-web', 'demo-web-secret', undefined, {
      execute: [client.allowInsecureRequests],
      [client.customFetch]: deployment.fetch as client.CustomFetch,
    });
  }, 120_000);
  afterAll(() => deployment?.stop());

  async function signIn(scope: string, agent: UserAgent, extra: Record<string, string> = {}) {
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope,
      state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...extra,
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

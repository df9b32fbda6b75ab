import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as client from 'openid-client';
import { type Deployment, demo, deployments } from '../support/deployment.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { allScopes } from './apps.ts';
import { approve, deviceFlow, enterCode, tvDocument } from './devices.ts';

const clients = [tvDocument('tv')];

describe.each(deployments)('the device flow by openid-client, on $name', ({ start }) => {
  let deployment: Deployment;
  let config: client.Configuration;
  beforeAll(async () => {
    deployment = await start({ clients, env: deviceFlow });
    config = await client.discovery(new URL(deployment.issuer), 'tv', 'tv-secret', undefined, {
      execute: [client.allowInsecureRequests],
      [client.customFetch]: deployment.fetch as client.CustomFetch,
    });
  }, 120_000);
  afterAll(() => deployment?.stop());

  /** The library waits between two questions as long as it is told, and five seconds where it isn't told. */
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

  test('is told that the person denied it', async () => {
    const begun = await begin();
    const polled = client.pollDeviceAuthorizationGrant(config, begun);
    const agent = createUserAgent(deployment);
    await agent.submit(await enterCode(deployment, agent, begun.user_code), { abort: 'yes' });
    await expect(polled).rejects.toMatchObject({ error: 'access_denied' });
  }, 60_000);
});

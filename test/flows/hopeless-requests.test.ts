import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, startServers } from '../support/deployment.ts';
import type { Parameters, TestClient } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';
import { deviceFlow } from './devices.ts';

/** Authorization requests that no sign-in can complete. */
describe('a request that can only fail', () => {
  let deployment: Deployment;
  let web: TestClient;
  beforeAll(async () => {
    const grants = ['authorization_code', 'refresh_token', 'device_code'];
    const clients = [appDocument('web', { grants })];
    deployment = await startServers({ clients, env: deviceFlow, processes: 1 });
    web = createApp(deployment, 'web');
  }, 120_000);
  afterAll(() => deployment?.stop());

  const short = 'x'.repeat(42);
  const requests: [name: string, error: string, parameters: () => Parameters][] = [
    ['no scope', 'invalid_scope', () => ({ scope: undefined })],
    ['an empty scope', 'invalid_scope', () => ({ scope: '' })],
    ['an unknown scope', 'invalid_scope', () => ({ scope: 'unheard-of' })],
    [
      'the scope of an API that is not the one it names',
      'invalid_scope',
      () => ({ scope: 'contracts:read', resource: deployment.issuer }),
    ],
    ['a challenge that is no SHA-256', 'invalid_request', () => ({ code_challenge: `${short}xx` })],
    ['a thumbprint that is none', 'invalid_request', () => ({ dpop_jkt: short })],
  ];

  test.each(requests)('%s: the app gets %s, and the person sees no page', async (_, error, parameters) => {
    const { url } = await createUserAgent(deployment).get(web.authorizationUrl(parameters()));
    expect(url.startsWith(`${web.redirectUri}?`)).toBe(true);
    const returned = Object.fromEntries(new URL(url).searchParams);
    expect(returned).toMatchObject({ error, state: 'a-state', iss: deployment.issuer });
    expect(returned.error_description).toMatch(/scope|code_challenge|dpop_jkt/);
  });

  test.each(requests)('pushed, %s: %s', async (_, error, parameters) => {
    const { searchParams } = new URL(web.authorizationUrl(parameters()));
    const { status, body } = await web.post('par', Object.fromEntries(searchParams));
    expect([status, body.error]).toEqual([400, error]);
  });

  test.each([undefined, 'unheard-of'])('of a device, with the scope %s: no code', async (scope) => {
    const { status, body } = await web.post('device', { scope });
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
  });
});

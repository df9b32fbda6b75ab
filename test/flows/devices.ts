import type { Deployment } from '../support/deployment.ts';
import type { JsonAnswer, Parameters, TestClient } from '../support/test-client.ts';
import type { Page, Person, UserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, type ClientDocument } from './apps.ts';

export const deviceFlow = { GATEHOUSE_DEVICE_FLOW: 'true' };

/** A device's answer from `/oauth2/device` (RFC 8628 §3.2). */
export interface DeviceAuthorization {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
}

/** The client document of an app on a device. */
export const tvDocument = (id: string, changes: Record<string, unknown> = {}): ClientDocument =>
  appDocument(id, { grants: ['device_code', 'refresh_token'], redirectUris: [], ...changes });

/** Requests a device code. */
export async function beginAt(
  app: TestClient,
  scope = allScopes,
  parameters: Parameters = {},
): Promise<DeviceAuthorization> {
  const { status, body } = await app.post('device', { scope, ...parameters });
  if (status !== 200) throw new Error(`no device code: ${status} ${JSON.stringify(body)}`);
  return body as unknown as DeviceAuthorization;
}

/** Polls the token endpoint once with a device code. */
export const pollFor = (app: TestClient, deviceCode: string): Promise<JsonAnswer> =>
  app.post('token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: deviceCode,
  });

/** Enters a user code. Returns the page that asks to confirm it. */
export async function enterCode({ issuer }: Deployment, agent: UserAgent, userCode: string): Promise<Page> {
  return agent.submit(await agent.get(`${issuer}/device`), { user_code: userCode });
}

/** Confirms the code, signs in and agrees if asked. Returns the last page. */
export async function letIn(agent: UserAgent, confirmation: Page, person: Person): Promise<Page> {
  let page = await agent.submit(confirmation, { confirm: 'yes' });
  if (page.html.includes('name="password"')) page = await agent.submit(page, { ...person });
  if (page.html.includes('name="decision"')) page = await agent.submit(page, { decision: 'allow' });
  return page;
}

/** Enters the user code and lets the device in. Throws if that fails. */
export async function approve(
  deployment: Deployment,
  agent: UserAgent,
  userCode: string,
  person: Person,
): Promise<void> {
  const page = await letIn(agent, await enterCode(deployment, agent, userCode), person);
  if (!page.html.includes('Your device is signed in'))
    throw new Error(`not let in, at ${page.url} (${page.status}):\n${page.html}`);
}

import { newId } from '../../provider/lib/ids.ts';
import type { Deployment } from './deployment.ts';
import { callJsonApi } from './json-api.ts';
import type { TestClient } from './test-client.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from './user-agent.ts';

/** Signs up an account that no test has used before. */
export async function newPerson(deployment: Deployment): Promise<Person> {
  const person = { email: `${newId('someone').toLowerCase()}@example.com`, password: 'a quiet evening in' };
  const { status } = await callJsonApi(deployment, '/auth/register', person);
  if (status !== 202) throw new Error(`no account: ${status}`);
  return person;
}

/** Opens the account page, and signs in if asked. */
export async function openAccount(deployment: Deployment, agent: UserAgent, person: Person): Promise<Page> {
  const page = await agent.get(`${deployment.issuer}/account`);
  if (!page.html.includes('name="email"')) return page;
  const { email, password } = person;
  return agent.submit(page, { email, password });
}

/** A browser in which this person is signed in. */
export async function signedInBrowser(deployment: Deployment, person: Person): Promise<UserAgent> {
  const agent = createUserAgent(deployment);
  await openAccount(deployment, agent, person);
  return agent;
}

/** Opens the sign-out page (RP-Initiated Logout 1.0 §2). */
export const openSignOut = (
  deployment: Deployment,
  agent: UserAgent,
  parameters: Record<string, string> = {},
): Promise<Page> => agent.get(`${deployment.issuer}/oauth2/logout?${new URLSearchParams(parameters)}`);

/** Signs the browser out, and returns the page that follows. */
export async function signOut(
  deployment: Deployment,
  agent: UserAgent,
  parameters: Record<string, string> = {},
): Promise<Page> {
  return agent.submit(await openSignOut(deployment, agent, parameters), { logout: 'yes' });
}

/** The outcome of a request with `prompt=none`: `code` if the browser is signed in, otherwise the error. */
export async function silently(agent: UserAgent, app: TestClient): Promise<string> {
  const { url } = await agent.get(app.authorizationUrl({ prompt: 'none' }));
  const { searchParams } = new URL(url);
  return searchParams.has('code') ? 'code' : (searchParams.get('error') ?? `stuck at ${url}`);
}

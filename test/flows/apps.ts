import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Deployment } from '../support/deployment.ts';
import {
  createTestClient,
  decodeJwt,
  type JsonAnswer,
  jsonAnswer,
  type TestClient,
} from '../support/test-client.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

export type ClientDocument = Record<string, unknown> & { id: string };

const redirectUri = (id: string) => `http://localhost:8080/${id}/callback`;
const secretOf = (id: string) => `${id}-secret`;

/** Where every app here takes people after they signed out. */
export const signedOutUri = 'http://localhost:8080/signed-out';

/** A third party's app that may have everything, as a person writes it. */
export function appDocument(id: string, changes: Record<string, unknown> = {}): ClientDocument {
  const secrets = [{ sha256: createHash('sha256').update(secretOf(id)).digest('hex') }];
  return {
    id,
    name: id,
    ...(changes.auth === 'none' ? {} : { secrets }),
    redirectUris: [redirectUri(id)],
    postLogoutRedirectUris: [signedOutUri],
    scopes: ['openid', 'email', 'profile', 'offline_access', 'contracts:read'],
    ...changes,
  };
}

/** What `standing` needs a token to carry. */
export const allScopes = 'openid email profile contracts:read';

/** The app of an `appDocument`: with its secret, unless told another, or none. */
export function createApp(
  deployment: Deployment,
  id: string,
  secret: string | 'public' = secretOf(id),
): TestClient {
  return createTestClient(deployment, {
    id,
    redirectUri: redirectUri(id),
    ...(secret === 'public' ? {} : { secret }),
  });
}

/** Changes one client's document in the file that all processes read. They notice a moment later. */
export async function changeClient(
  { folder }: Deployment,
  id: string,
  changes: Record<string, unknown>,
): Promise<void> {
  await rewriteClients(folder, (clients) => {
    const found = clients.find((client) => client.id === id);
    const others = clients.filter((client) => client.id !== id);
    return [...others, { ...(found ?? appDocument(id)), ...changes }];
  });
}

/** Takes one client's document out of the file. */
export function removeClient({ folder }: Deployment, id: string): Promise<void> {
  return rewriteClients(folder, (clients) => clients.filter((client) => client.id !== id));
}

async function rewriteClients(
  folder: string,
  change: (clients: ClientDocument[]) => ClientDocument[],
): Promise<void> {
  const path = join(folder, 'clients.yaml');
  const { clients } = parse(await readFile(path, 'utf8')) as { clients: ClientDocument[] };
  await writeFile(`${path}.new`, stringify({ clients: change(clients) }));
  await rename(`${path}.new`, path);
}

/**
 * What every process says of an access token of the app: `live` or `dead` when introspection, userinfo, `/user/profile`
 * and `/auth/verify` agree everywhere, else who said what.
 */
export async function standing(deployment: Deployment, app: TestClient, token: string): Promise<string> {
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  const all: string[] = [];
  // Each call goes to the next process, so as many calls in a row reach every one.
  for (const _ of deployment.origins) {
    const { body } = await app.post('introspect', { token });
    all.push(body.active === true ? 'live' : 'dead');
  }
  const audience = String(decodeJwt(token).claims.aud);
  // A token for userinfo alone is of no use to a gateway.
  const verify =
    audience === deployment.issuer ? [] : [`/auth/verify?audience=${encodeURIComponent(audience)}`];
  for (const path of ['/oauth2/userinfo', '/user/profile', ...verify]) {
    for (const _ of deployment.origins) {
      const answer = await deployment.fetch(`${deployment.issuer}${path}`, bearer);
      await answer.arrayBuffer();
      all.push(answer.status === 200 ? 'live' : answer.status === 401 ? 'dead' : `${answer.status}`);
    }
  }
  const said = new Set(all);
  return said.size === 1 ? [...said].join() : `introspection, userinfo, profile, verify: ${all.join(', ')}`;
}

/** The same deployment through one of its processes alone. */
export function oneProcess(deployment: Deployment, index: number): Deployment {
  const origin = deployment.origins[index] ?? '';
  return {
    ...deployment,
    origins: [origin],
    fetch: (input, init) =>
      fetch(String(input).replace(deployment.issuer, origin), { ...init, redirect: 'manual' }),
  };
}

/** Posts JSON to the JSON API. */
export async function postJson(deployment: Deployment, path: string, body: object): Promise<JsonAnswer> {
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  return jsonAnswer(await deployment.fetch(`${deployment.issuer}${path}`, init));
}

/** A browser with this one's cookies, as somebody would have who copied them. */
export function copyOf(deployment: Deployment, agent: UserAgent): UserAgent {
  const copy = createUserAgent(deployment);
  for (const [name, value] of agent.cookies) copy.cookies.set(name, value);
  return copy;
}

/** What becomes of a request that may show no page: `code` for a browser that is signed in, else the error. */
export async function silently(agent: UserAgent, app: TestClient): Promise<string> {
  const { url } = await agent.get(app.authorizationUrl({ prompt: 'none' }));
  const { searchParams } = new URL(url);
  return searchParams.has('code') ? 'code' : (searchParams.get('error') ?? `stuck at ${url}`);
}

/** How often each value came. */
export function tally(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Deployment } from '../support/deployment.ts';
import {
  bearer,
  createTestClient,
  decodeJwt,
  type JsonAnswer,
  type TestClient,
} from '../support/test-client.ts';

export type ClientDocument = Record<string, unknown> & { id: string };

const redirectUri = (id: string) => `http://localhost:8080/${id}/callback`;
const secretOf = (id: string) => `${id}-secret`;

/** Where each of these apps takes people after sign-out. */
export const signedOutUri = 'http://localhost:8080/signed-out';

/** The client document of a third-party app with all scopes. `changes` replace its fields. */
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

/** The client document of a native app, with a redirect URI on this machine (RFC 8252 §7.3). */
export const nativeDocument: ClientDocument = {
  id: 'native',
  name: 'Native',
  auth: 'none',
  applicationType: 'native',
  scopes: ['openid'],
  redirectUris: ['http://127.0.0.1/callback'],
};

/** The scopes that `standing` needs in a token. */
export const allScopes = 'openid email profile contracts:read';

/** An authorization request for a sign-in that outlives the browser's session. */
export const offline = { scope: `${allScopes} offline_access`, prompt: 'consent' };

/** The app of an `appDocument`, with its secret by default. A public app has no secret. */
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

/** Changes one client's document in the file that all processes read. They read it again a moment later. */
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

/** Removes one client's document from the file. */
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
 * Whether an access token of the app works: `live` or `dead` if introspection, userinfo, `/user/profile` and
 * `/auth/verify` agree on every process, otherwise the answer of each.
 */
export async function standing(deployment: Deployment, app: TestClient, token: string): Promise<string> {
  const all: string[] = [];
  // Each call goes to the next process, so as many calls in a row reach every one.
  for (const _ of deployment.origins) {
    const { body } = await app.post('introspect', { token });
    all.push(body.active === true ? 'live' : 'dead');
  }
  const audience = String(decodeJwt(token).claims.aud);
  // A gateway accepts no token that is for userinfo alone.
  const verify =
    audience === deployment.issuer ? [] : [`/auth/verify?audience=${encodeURIComponent(audience)}`];
  for (const path of ['/oauth2/userinfo', '/user/profile', ...verify]) {
    for (const _ of deployment.origins) {
      const answer = await deployment.fetch(`${deployment.issuer}${path}`, { headers: bearer(token) });
      await answer.arrayBuffer();
      all.push(answer.status === 200 ? 'live' : answer.status === 401 ? 'dead' : `${answer.status}`);
    }
  }
  const said = new Set(all);
  return said.size === 1 ? [...said].join() : `introspection, userinfo, profile, verify: ${all.join(', ')}`;
}

/** How often each value occurs. */
export function tally(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

/** How often each outcome occurs: the error, or the status of an answer without an error. */
export const outcomesOf = (answers: readonly JsonAnswer[]): Record<string, number> =>
  tally(answers.map(({ status, body }) => body.error ?? status));

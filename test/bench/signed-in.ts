import { createTestClient, demoApps, pkce } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { type Answer, type Connection, get, headerOf, postForm } from './connection.ts';
import type { Worker } from './load.ts';
import { password, type World } from './world.ts';

/** A person with a session in a browser and a consent for a third-party app. */
export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  /** The credentials of the app. */
  basic: Record<string, string>;
  /** The cookies of the browser. */
  cookies: Record<string, string>;
}

const app = demoApps.web;
const scope = 'openid email offline_access contracts:read';
const basic = { Authorization: `Basic ${Buffer.from(`${app.id}:${app.secret}`).toString('base64')}` };
let turn = 0;

/** Signs a person in with a browser. This creates a session, a consent and a family. */
export async function signedIn({ deployment, known }: World): Promise<SignedIn> {
  const client = createTestClient(deployment, app);
  const agent = createUserAgent(deployment);
  const email = known[turn++ % known.length] ?? '';
  const page = await agent.get(client.authorizationUrl({ scope, prompt: 'consent' }));
  const url = new URL(await signInAndAgree(agent, page, { email, password }));
  const { body } = await client.redeem(url.searchParams.get('code') ?? '');
  const cookie = [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return {
    accessToken: String(body.access_token),
    refreshToken: String(body.refresh_token),
    basic,
    cookies: { Cookie: cookie },
  };
}

/** The JSON body of the response. Throws if the status is not 200. */
export function accepted({ status, headers, body }: Answer): Record<string, unknown> {
  if (status !== 200) throw new Error(`answered with ${status}\n${headers}\n${body}`);
  return body === '' ? {} : JSON.parse(body);
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** Redeems a refresh token, then its successor, and so on. */
export function refreshing(connection: Connection, person: SignedIn): Worker {
  let { refreshToken } = person;
  return {
    once: async () => {
      const fields = { grant_type: 'refresh_token', refresh_token: refreshToken };
      const tokens = accepted(await connection.send(postForm('/oauth2/token', fields, basic)));
      if (tokens.id_token === undefined) throw new Error('no id token came');
      refreshToken = String(tokens.refresh_token);
    },
  };
}

/** The two halves of a code flow of a person with a session and a consent. */
export function authorizing(connection: Connection, { cookies }: SignedIn) {
  const query = new URLSearchParams({
    client_id: app.id,
    redirect_uri: app.redirectUri,
    response_type: 'code',
    state: 'a-state',
    scope: 'openid email contracts:read',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
  });
  const request = get(`/oauth2/authorize?${query}`, cookies);
  return {
    authorize: async (): Promise<string> => {
      const { status, headers } = await connection.send(request);
      const code = new URL(headerOf(headers, 'location') ?? 'nowhere:').searchParams.get('code');
      if (code === null) throw new Error(`no code came, but ${status}\n${headers}`);
      return code;
    },
    redeem: async (code: string): Promise<Record<string, unknown>> => {
      const fields = { grant_type: 'authorization_code', code, redirect_uri: app.redirectUri };
      const form = postForm('/oauth2/token', { ...fields, code_verifier: pkce.verifier }, basic);
      return accepted(await connection.send(form));
    },
  };
}

import { createTestClient, demoApps, pkce } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { type Answer, type Connection, get, headerOf, postForm } from './connection.ts';
import type { Worker } from './load.ts';
import { password, type World } from './world.ts';

/** Somebody with a session in a browser who has agreed to what a third-party app asks for. */
export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  /** The app's credentials. */
  basic: Record<string, string>;
  /** The browser's. */
  cookies: Record<string, string>;
}

const app = demoApps.web;
const scope = 'openid email offline_access contracts:read';
const basic = { Authorization: `Basic ${Buffer.from(`${app.id}:${app.secret}`).toString('base64')}` };
let turn = 0;

/** Signs somebody in with a browser: their session, their consent, a family. */
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

/** What the answer says; throws unless it is one that was hoped for. */
export function accepted({ status, headers, body }: Answer): Record<string, unknown> {
  if (status !== 200) throw new Error(`answered with ${status}\n${headers}\n${body}`);
  return body === '' ? {} : JSON.parse(body);
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** Redeems a refresh token, then the one that follows, and so on. */
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

/** The two halves of a code flow of who is signed in and has agreed before. */
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

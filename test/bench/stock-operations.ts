import { pkce } from '../support/test-client.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';
import { type Connection, get, headerOf, openConnection, postForm } from './connection.ts';
import type { Worker } from './load.ts';
import { accepted } from './signed-in.ts';
import { stockApp } from './stock-app.ts';

const { id, secret, redirectUri, resource } = stockApp;
const basic = { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };

export type StockOperation = 'client_credentials' | 'refresh, with id token' | 'code flow in a session';

/** The same operations on the unchanged oidc-provider. */
export const stockOperations: Record<StockOperation, (port: number) => Promise<Worker>> = {
  client_credentials: async (port) => {
    const connection = openConnection(port);
    const request = postForm('/token', { grant_type: 'client_credentials', resource }, basic);
    return { once: async () => accepted(await connection.send(request)) };
  },
  'refresh, with id token': async (port) => {
    const connection = openConnection(port);
    let { refresh_token: token } = await redeem(connection, await signIn(port));
    return {
      once: async () => {
        const fields = { grant_type: 'refresh_token', refresh_token: String(token) };
        const tokens = accepted(await connection.send(postForm('/token', fields, basic)));
        if (tokens.id_token === undefined) throw new Error('no id token came');
        token = tokens.refresh_token;
      },
    };
  },
  'code flow in a session': async (port) => {
    const connection = openConnection(port);
    const { cookies } = await signIn(port);
    const request = get(`/auth?${query('openid read')}`, { Cookie: cookies });
    return {
      once: async () => {
        const { headers } = await connection.send(request);
        const code = new URL(headerOf(headers, 'location') ?? 'nowhere:').searchParams.get('code') ?? '';
        await redeem(connection, { code });
      },
    };
  },
};

const query = (scope: string, prompt?: string) =>
  new URLSearchParams({
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    state: 'a-state',
    scope,
    resource,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    ...(prompt === undefined ? {} : { prompt }),
  });

/** Signs in through the library's own pages for development. */
async function signIn(port: number): Promise<{ code: string; cookies: string }> {
  const issuer = `http://localhost:${port}`;
  const fetched = (input: string | URL | Request, init?: RequestInit) =>
    fetch(input, { ...init, redirect: 'manual' });
  const agent = createUserAgent({ issuer, fetch: fetched });
  let page: Page = await agent.get(`${issuer}/auth?${query('openid offline_access read', 'consent')}`);
  for (let step = 0; page.status !== 0 && step < 5; step += 1)
    page = await agent.submit(
      page,
      page.html.includes('name="login"') ? { login: 'ann', password: 'x' } : {},
    );
  const cookies = [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return { code: new URL(page.url).searchParams.get('code') ?? '', cookies };
}

async function redeem(connection: Connection, { code }: { code: string }) {
  const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
  const form = postForm('/token', { ...fields, code_verifier: pkce.verifier }, basic);
  return accepted(await connection.send(form));
}

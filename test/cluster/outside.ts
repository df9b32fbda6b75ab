import { createHash, randomBytes } from 'node:crypto';
import { createServer as createHttp, request } from 'node:http';
import { createServer } from 'node:https';
import { testCertificate } from '../support/certificate.ts';
import { createUserAgent, type Page, type Person, signInAndAgree } from '../support/user-agent.ts';
import { expect } from './tools.ts';

export const issuer = 'https://localhost:18443';
/** Where the NodePort 30080 of the cluster is reachable from here. */
export const nodePort = process.env.GATEHOUSE_NODE_PORT_URL ?? 'http://127.0.0.1:18080';

/** Like `fetch`, for URLs of the issuer: sent to the NodePort. Never follows redirects. */
export const fetchIssuer = (url: string | URL | Request, init: RequestInit = {}): Promise<Response> =>
  fetch(String(url).replace(issuer, nodePort), {
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
    ...init,
  });

export interface App {
  id: string;
  secret?: string;
  redirectUri: string;
  scope: string;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
}

export const portal: App = {
  id: 'portal',
  redirectUri: 'http://localhost:18090/callback',
  scope: 'openid email offline_access contracts:read',
};

/** An authorization request with PKCE, and what redeems its code. */
export function authorization({ id, secret, redirectUri, scope }: App) {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state: 'a-state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const redeem = (code: string) =>
    token(
      { id, secret },
      { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
    );
  return { url: `${issuer}/oauth2/authorize?${query}`, redeem };
}

/** Posts to the token endpoint. Throws if there are no tokens. */
export async function token(
  { id, secret }: { id: string; secret?: string | undefined },
  parameters: Record<string, string>,
): Promise<Tokens> {
  const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const response = await fetchIssuer(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: secret === undefined ? {} : { authorization: basic },
    body: new URLSearchParams(secret === undefined ? { client_id: id, ...parameters } : parameters),
  });
  const text = await response.text();
  expect(response.status === 200, `the token endpoint answered ${response.status}: ${text}`);
  return JSON.parse(text) as Tokens;
}

/** Signs a person in on the pages, without a browser. */
export async function signIn(app: App, person: Person): Promise<Tokens> {
  const agent = createUserAgent({ fetch: fetchIssuer, issuer });
  const { url, redeem } = authorization(app);
  const page: Page = await agent.get(url);
  const end = await signInAndAgree(agent, page, person);
  return redeem(new URL(end).searchParams.get('code') ?? '');
}

export const refresh = (app: App, refreshToken: string): Promise<Tokens> =>
  token(app, { grant_type: 'refresh_token', refresh_token: refreshToken });

/** What ends TLS for the browser: https://localhost:18443 leads to the NodePort. Returns what stops it. */
export async function startFront(): Promise<() => void> {
  const { cert, key } = testCertificate();
  const { hostname, port } = new URL(nodePort);
  const front = createServer({ cert, key }, (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const call = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    call.once('error', () => outgoing.destroy());
    incoming.pipe(call);
  });
  /** The app's page, where the browser comes back to. */
  const app = createHttp((_request, response) => response.end('You are back at the app.'));
  await new Promise<void>((resolve) => front.listen(18443, 'localhost', resolve));
  await new Promise<void>((resolve) => app.listen(18090, 'localhost', resolve));
  return () => {
    for (const server of [front, app]) {
      server.close();
      server.closeAllConnections();
    }
  };
}

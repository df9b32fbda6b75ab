import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { Deployment } from './deployment.ts';
import { waitFor } from './wait-for.ts';

/** A request that an app got at its back-channel logout URI. */
export interface ReceivedLogout {
  /** The last part of the path: the app. */
  app: string;
  token: string;
  method: string | undefined;
  contentType: string | undefined;
}

type Answer = (response: ServerResponse, received: ReceivedLogout) => void;

export interface LogoutReceiver {
  /** The back-channel logout URI of an app. */
  uriOf(app: string, host?: string): string;
  readonly received: ReceivedLogout[];
  of(app: string): ReceivedLogout[];
  /** Answers the requests for an app from now on; undefined for 204. */
  answer(app: string, answer: Answer | undefined): void;
  /** Waits until an app got this number of requests, and gives them. */
  until(app: string, count: number): Promise<ReceivedLogout[]>;
  close(): Promise<void>;
}

/** Apps that get logout tokens, on this machine. */
export async function startLogoutReceiver(): Promise<LogoutReceiver> {
  const received: ReceivedLogout[] = [];
  const answers = new Map<string, Answer>();
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const one = {
      app: request.url?.split('/').at(-1) ?? '',
      token: new URLSearchParams(text).get('logout_token') ?? '',
      method: request.method,
      contentType: request.headers['content-type'],
    };
    received.push(one);
    const answer = answers.get(one.app);
    if (answer) answer(response, one);
    else response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const of = (app: string) => received.filter((one) => one.app === app);
  return {
    uriOf: (app, host = '127.0.0.1') => `http://${host}:${port}/logout/${app}`,
    received,
    of,
    answer: (app, answer) => void (answer ? answers.set(app, answer) : answers.delete(app)),
    until: async (app, count) => {
      await waitFor(() => of(app).length >= count, { timeoutMs: 30_000, what: `${count} logouts at ${app}` });
      return of(app);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The answer with this status, and JSON if given. */
export const status =
  (code: number, body?: object): Answer =>
  (response) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(body && JSON.stringify(body));

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/**
 * Checks a logout token as an app has to (OpenID Connect Back-Channel Logout 1.0 §2.6), with the keys that the issuer
 * publishes now.
 */
export async function verifyLogoutToken(
  deployment: Deployment,
  clientId: string,
  token: string,
  currentDate = new Date(),
): Promise<JWTPayload & { sid?: string }> {
  const answer = await deployment.fetch(`${deployment.issuer}/.well-known/jwks.json`);
  const keys = createLocalJWKSet((await answer.json()) as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, {
    issuer: deployment.issuer,
    audience: clientId,
    algorithms: ['RS256'],
    typ: 'logout+jwt',
    requiredClaims: ['iat', 'exp', 'jti', 'events'],
    maxTokenAge: 120,
    currentDate,
  });
  const { events, iat = 0, exp = 0 } = payload;
  const event = (events as Record<string, unknown>)[logoutEvent];
  if (JSON.stringify(event) !== '{}') throw new Error('events does not name back-channel logout');
  if (payload.sub === undefined && payload.sid === undefined) throw new Error('neither sub nor sid');
  if ('nonce' in payload) throw new Error('a logout token has no nonce');
  if (exp - iat > 120) throw new Error('valid for more than two minutes');
  return payload;
}

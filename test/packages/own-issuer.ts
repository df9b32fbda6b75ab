import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** The answer of an address; undefined closes the connection without one. */
type Answer = { status: number; body?: unknown; headers?: Record<string, string> } | undefined;

/** An issuer whose keys, documents and answers a test chooses. */
export interface OwnIssuer {
  url: string;
  audience: string;
  /** The requests so far, by path. */
  requests: string[];
  /** Replaces the answer of a path until it is set to undefined. */
  answers: Map<string, () => Answer>;
  /** Adds a key that is published from now on and signs from now on. */
  rotate(): Promise<void>;
  /** Signs an access token with right claims. A claim of undefined is left out. */
  token(claims?: JWTPayload, header?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

type SigningKey = Parameters<SignJWT['sign']>[0];

/** @param alg the algorithm of its keys */
export async function startOwnIssuer(alg = 'RS256'): Promise<OwnIssuer> {
  const audience = 'https://api.example.com';
  const keys: { kid: string; jwk: object; privateKey: SigningKey }[] = [];
  const requests: string[] = [];
  const answers = new Map<string, () => Answer>();
  const rotate = async () => {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    const kid = `key-${keys.length + 1}`;
    keys.push({ kid, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }, privateKey });
  };
  await rotate();

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '', url).pathname;
    requests.push(path);
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/jwks` },
      '/jwks': { keys: keys.map(({ jwk }) => jwk) },
    };
    const own = answers.get(path);
    const answer = own ? own() : { status: documents[path] ? 200 : 404, body: documents[path] };
    if (answer) send(response, answer);
    else request.socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const token: OwnIssuer['token'] = (claims = {}, header = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const { kid, privateKey } = keys.at(-1) ?? keys[0] ?? fail();
    const base = {
      iss: url,
      sub: 'user_1',
      aud: audience,
      client_id: 'web',
      jti: 'a',
      iat: now,
      exp: now + 900,
    };
    return new SignJWT({ ...base, scope: 'contracts:read', permissions: ['contracts:read'], ...claims })
      .setProtectedHeader({ alg, typ: 'at+jwt', kid, ...header })
      .sign(privateKey);
  };
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, audience, requests, answers, rotate, token, close };
}

function send(response: ServerResponse, { status, body, headers }: NonNullable<Answer>): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
}

function fail(): never {
  throw new Error('the issuer has no key');
}

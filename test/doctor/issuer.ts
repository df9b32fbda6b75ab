import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestCertificate, testCertificate } from '../support/certificate.ts';

/** A key of an issuer, and its public form. */
export interface IssuerKey {
  jwk: Record<string, unknown>;
  privateKey: KeyObject;
}

export function rsaKey(kid: string, modulusLength = 2048): IssuerKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
  return { jwk, privateKey };
}

export function ellipticKey(kid: string): IssuerKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }, privateKey };
}

export const goodKey = rsaKey('good');
const certificate = testCertificate();

/** One of the two documents of an issuer. */
interface Served {
  status?: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: unknown;
  /** The answer is sent after this time. */
  delayMs?: number;
}

export interface IssuerOptions {
  discovery?: (issuer: string) => Served;
  jwks?: (issuer: string) => Served;
  certificate?: TestCertificate;
  plain?: boolean;
}

export interface TestIssuer {
  issuer: string;
  stop(): Promise<void>;
}

/** Starts an issuer of two documents on https://localhost. It is right, except for the given options. */
export async function startIssuer(options: IssuerOptions = {}): Promise<TestIssuer> {
  const good = {
    discovery: { body: () => ({ issuer, jwks_uri: `${issuer}/jwks` }) },
    jwks: { body: () => ({ keys: [goodKey.jwk] }) },
  };
  const answer: RequestListener = ({ url = '' }, response) => {
    const which = url === '/jwks' ? 'jwks' : 'discovery';
    const known = url === '/jwks' || url === '/.well-known/openid-configuration';
    const { status = known ? 200 : 404, headers = {}, body, delayMs = 0 } = options[which]?.(issuer) ?? {};
    const content = body ?? good[which].body();
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    const head = { 'content-type': 'application/json', 'cache-control': 'public, max-age=900', ...headers };
    const send = () => void response.writeHead(status, head).end(text);
    if (delayMs > 0) setTimeout(send, delayMs);
    else send();
  };
  const { cert, key } = options.certificate ?? certificate;
  const server = options.plain ? createPlainServer(answer) : createServer({ cert, key }, answer);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer = `${options.plain ? 'http' : 'https'}://localhost:${port}`;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { issuer, stop };
}

export const testAudience = 'https://api.example.com';

/** A token of the issuer that is right, except for the given claims and header. */
export function tokenOf(
  issuer: string,
  { claims = {}, header = {}, key = goodKey }: { claims?: object; header?: object; key?: IssuerKey } = {},
): string {
  const now = Math.floor(Date.now() / 1000);
  const good = { iss: issuer, aud: testAudience, iat: now - 5, exp: now + 900, scope: 'contracts:read' };
  const { alg, kid } = key.jwk;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg, kid, ...header })}.${part({ ...good, ...claims })}`;
  const options = { key: key.privateKey, dsaEncoding: 'ieee-p1363' as const };
  return `${signed}.${sign('sha256', Buffer.from(signed), options).toString('base64url')}`;
}

import { type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../lib/clock.ts';
import { parseUrl } from '../lib/parse-url.ts';

/** What a person asks the doctor to check. */
export interface Question {
  /** The issuer as the authorizer's configuration has it. Every character counts. */
  issuer: string;
  gateway: 'http' | 'rest';
  /** The authorizer's audiences. When empty, the audience of a token is not checked. */
  audiences: readonly string[];
  /** The scopes of a route. A token needs one of them. */
  scopes: readonly string[];
  /** How long the issuer publishes a key before it signs with the key, in seconds. This can't be seen from outside. */
  leadSeconds: number;
  token?: string | undefined;
}

/** An answer as it arrived over a connection of its own. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body. A body of more than `mostBytes` is cut off there. */
  body: string;
  bytes: number;
  /** From the start of the connection to the last byte. */
  milliseconds: number;
  /** The IP address that answered. */
  address: string;
  /** Undefined for plain HTTP. */
  certificate?: Certificate | undefined;
}

export interface Certificate {
  /** The code of the fault that Node finds, for example `CERT_HAS_EXPIRED`. Undefined if there is none. */
  fault?: string | undefined;
  /** Milliseconds since the epoch. */
  validTo: number;
}

/** One look at a URL. `failure` is the code or message of the connection's error. */
export interface Look {
  url: string;
  answer?: Answer;
  failure?: string;
}

/** A token, decoded and not checked. */
export interface DecodedToken {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** The part that is signed. */
  signed: string;
  signature: Buffer;
}

/** Everything that the rules look at. */
export interface Observation extends Question {
  /** The time of the observation, in milliseconds since the epoch. */
  now: number;
  discovery: Look;
  /** The discovery document, if it is a JSON object. */
  metadata?: Record<string, unknown> | undefined;
  /** Undefined if discovery names no URL of a key set. */
  jwks?: Look | undefined;
  /** The keys, if the key set is a JSON object with a list of objects. */
  keys?: Record<string, unknown>[] | undefined;
  decoded?: DecodedToken | undefined;
}

/** More of an answer is not read. It is far above every limit of API Gateway. */
const mostBytes = 1_000_000;
const mostMilliseconds = 10_000;

/**
 * Looks at an issuer from outside: one request for discovery and one for the key set, each on a new connection. It
 * sends no token anywhere. It never throws: failed requests are part of the observation.
 */
export async function observe(question: Question, clock: Clock): Promise<Observation> {
  const discovery = await look(discoveryUrl(question.issuer));
  const metadata = objectIn(discovery.answer?.body);
  const { jwks_uri: jwksUri } = metadata ?? {};
  const jwks = isWebUrl(jwksUri) ? await look(jwksUri) : undefined;
  const { keys } = objectIn(jwks?.answer?.body) ?? {};
  return {
    ...question,
    now: clock.now(),
    discovery,
    metadata,
    jwks,
    keys: Array.isArray(keys) && keys.every(isObject) ? keys : undefined,
    decoded: question.token === undefined ? undefined : decodeToken(question.token),
  };
}

/** The address of the discovery document: a slash at the issuer's end is left out (OpenID Connect Discovery §4.1). */
const discoveryUrl = (issuer: string) => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

const isWebUrl = (value: unknown): value is string =>
  typeof value === 'string' && /^https?:$/.test(parseUrl(value)?.protocol ?? '');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectIn(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function decodeToken(token: string): DecodedToken | undefined {
  const parts = token.split('.');
  const [head = '', body = '', signature = ''] = parts;
  if (parts.length !== 3 || parts.some((part) => !/^[\w-]+$/.test(part))) return undefined;
  const [header, claims] = [head, body].map((part) =>
    objectIn(Buffer.from(part, 'base64url').toString('utf8')),
  );
  if (!header || !claims) return undefined;
  return { header, claims, signed: `${head}.${body}`, signature: Buffer.from(signature, 'base64url') };
}

async function look(url: string): Promise<Look> {
  try {
    return { url, answer: await get(new URL(url)) };
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException;
    const failure = name === 'AbortError' || name === 'TimeoutError' ? 'TIMEOUT' : (code ?? message);
    return { url, failure };
  }
}

function get(url: URL): Promise<Answer> {
  const started = performance.now();
  const options = {
    agent: false,
    headers: { accept: 'application/json', 'user-agent': 'gatehouse-doctor' },
    signal: AbortSignal.timeout(mostMilliseconds),
  };
  return new Promise((resolve, reject) => {
    const receive = (response: IncomingMessage) => {
      const { address, certificate } = peerOf(response);
      const chunks: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        const { statusCode: status = 0, headers } = response;
        const body = Buffer.concat(chunks).toString('utf8');
        const milliseconds = Math.round(performance.now() - started);
        resolve({ status, headers, body, bytes, milliseconds, address, certificate });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes <= mostBytes) return;
        finish();
        response.destroy();
      });
      response.once('end', finish);
      response.once('error', reject);
    };
    // A bad certificate does not end the look: it is a finding, and the other rules can still be checked. Only public
    // documents are read here, and nothing secret is sent.
    const call =
      url.protocol === 'https:'
        ? tlsRequest(url, { ...options, rejectUnauthorized: false }, receive)
        : plainRequest(url, options, receive);
    call.once('error', reject);
    call.end();
  });
}

function peerOf({ socket }: IncomingMessage): Pick<Answer, 'address' | 'certificate'> {
  const address = socket.remoteAddress ?? '';
  if (!('getPeerCertificate' in socket)) return { address };
  const tls = socket as TLSSocket;
  const { authorizationError } = tls;
  const fault = authorizationError ? String(authorizationError) : undefined;
  return { address, certificate: { fault, validTo: Date.parse(tls.getPeerCertificate().valid_to) } };
}

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Clock } from '../../provider/lib/clock.ts';

export interface GatewayOptions {
  /** A REST API caches keys for a shorter time, and looks again at an unknown `kid`. The default is `http`. */
  kind?: 'http' | 'rest';
  /** How long it really keeps keys. "Up to" two hours also allows less. The default is the longest time. */
  keyCacheMs?: number;
  /** The issuer in the authorizer's configuration. It is compared character by character. */
  issuer: string;
  /** The authorizer's list of audiences. */
  audiences: readonly string[];
  clock: Clock;
  /** Fetches discovery and the key set. */
  fetch(url: string): Promise<Response>;
}

/** A request as it reaches the gateway. */
export interface GatewayRequest {
  authorization?: string | undefined;
  /** The route's `authorizationScopes`. When omitted, the route requires no scopes. */
  scopes?: readonly string[];
  /** The default is `GET /contracts HTTP/1.1`. */
  requestLine?: string;
  /** All headers except `Authorization`. */
  headers?: Record<string, string>;
}

export type GatewayAnswer =
  | { status: 200; claims: Record<string, unknown> }
  | { status: 401 | 403 | 431; reason: string };

export interface Gateway {
  check(request: GatewayRequest): Promise<GatewayAnswer>;
}

/**
 * From "Amazon API Gateway quotas" for HTTP APIs, and for `restKeyCacheMs` from "Signing keys and troubleshooting JWT
 * authorizers" for REST APIs.
 */
export const gatewayLimits = {
  documentBytes: 150_000,
  documentMs: 1_500,
  requestBytes: 10_240,
  keyCacheMs: 2 * 3_600_000,
  restKeyCacheMs: 3_600_000,
  audiences: 50,
  scopesOfRoute: 10,
} as const;

class Refused extends Error {
  readonly status: 401 | 403 | 431;
  constructor(reason: string, status: 401 | 403 | 431 = 401) {
    super(reason);
    this.status = status;
  }
}

/**
 * Models API Gateway's HTTP API with a JWT authorizer, exactly as strict as the contract in DESIGN §5. It accepts only
 * RS256. It caches keys for two hours and doesn't fetch them again for an unknown `kid`. It ignores `typ`, `cnf` and
 * revocation. Like the real one, it reads discovery when it is created, and throws if discovery isn't valid.
 *
 * As `rest`, it models a REST API's JWT authorizer that allows RS256: one hour, and a new look at an unknown `kid`.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  mustBeConfigurable(options);
  const base = options.issuer.replace(/\/$/, '');
  const discovery = await readDocument(options, `${base}/.well-known/openid-configuration`);
  if (discovery.issuer !== options.issuer) throw new Error(`discovery is of issuer ${discovery.issuer}`);
  const keys = createKeyCache(options, String(discovery.jwks_uri));
  return {
    check: async (request) => {
      try {
        checkSize(request);
        const token = parseToken(request.authorization);
        const now = options.clock.now();
        checkSignature(token, await keys(token.header.kid));
        checkClaims(token.claims, options, now);
        checkScope(token.claims, request.scopes ?? []);
        return { status: 200, claims: token.claims };
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        return { status: error.status, reason: error.message };
      }
    },
  };
}

const loopback = /^http:\/\/(localhost|127\.0\.0\.1)(:|\/|$)/;

/** What the control plane refuses. It would refuse loopback too, where the tests run. */
function mustBeConfigurable({ issuer, audiences }: GatewayOptions): void {
  const { protocol, search, hash } = new URL(issuer);
  if ((protocol !== 'https:' && !loopback.test(issuer)) || search !== '' || hash !== '')
    throw new Error(`${issuer} is not an https URL without query and fragment`);
  if (audiences.length === 0 || audiences.length > gatewayLimits.audiences)
    throw new Error(`an authorizer has 1 to ${gatewayLimits.audiences} audiences, not ${audiences.length}`);
}

async function readDocument({ fetch, clock }: GatewayOptions, url: string): Promise<Record<string, unknown>> {
  const started = clock.now();
  const response = await fetch(url);
  const text = await response.text();
  const took = clock.now() - started;
  if (took > gatewayLimits.documentMs) throw new Error(`${url} took ${took} ms`);
  const bytes = Buffer.byteLength(text);
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  if (bytes > gatewayLimits.documentBytes) throw new Error(`${url} has ${bytes} bytes`);
  return JSON.parse(text) as Record<string, unknown>;
}

interface PublishedKey {
  kid?: string;
  kty?: string;
  alg?: string;
  use?: string;
}

function createKeyCache(options: GatewayOptions, jwksUri: string) {
  const { kind = 'http' } = options;
  const longest = kind === 'rest' ? gatewayLimits.restKeyCacheMs : gatewayLimits.keyCacheMs;
  const { keyCacheMs = longest } = options;
  let cached: { at: number; keys: Map<string, KeyObject> } | undefined;
  const fresh = async () => {
    const { keys } = (await readDocument(options, jwksUri)) as { keys: PublishedKey[] };
    return new Map(
      keys.map((key) => [mustBeUsable(key), createPublicKey({ key: { ...key }, format: 'jwk' })]),
    );
  };
  return async (kid: unknown): Promise<KeyObject> => {
    if (typeof kid !== 'string') throw new Refused('the header has no kid');
    const now = options.clock.now();
    const lookAgain = kind === 'rest' && !cached?.keys.has(kid);
    if (!cached || now - cached.at >= keyCacheMs || lookAgain) cached = { at: now, keys: await fresh() };
    const key = cached.keys.get(kid);
    if (!key) throw new Refused(`kid ${kid} is not in the key set as it was cached`);
    return key;
  };
}

/** We can't rely on the gateway to read a key set that holds any other kind of key. */
function mustBeUsable({ kid, kty, alg = 'RS256', use = 'sig' }: PublishedKey): string {
  if (kty === 'RSA' && alg === 'RS256' && use === 'sig' && kid) return kid;
  throw new Error(`the key set holds a key that is not for RS256: ${kid} ${kty} ${alg} ${use}`);
}

function checkSize(request: GatewayRequest): void {
  const { authorization, requestLine = 'GET /contracts HTTP/1.1', headers = {} } = request;
  const all = { ...headers, ...(authorization === undefined ? {} : { authorization }) };
  const lines = [requestLine, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`)];
  const bytes = Buffer.byteLength(`${lines.join('\r\n')}\r\n\r\n`);
  if (bytes > gatewayLimits.requestBytes)
    throw new Refused(`request line and headers have ${bytes} bytes`, 431);
}

interface Token {
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  signed: string;
  signature: Buffer;
}

/** The identity source is `$request.header.Authorization`: a token with or without the prefix `Bearer `. */
function parseToken(authorization: string | undefined): Token {
  const parts = (authorization ?? '').replace(/^Bearer /, '').split('.');
  const [header = '', claims = '', signature = ''] = parts;
  if (parts.length !== 3 || parts.some((part) => !/^[\w-]+$/.test(part)))
    throw new Refused('there is no JWT in the Authorization header');
  return {
    header: parseObject(header),
    claims: parseObject(claims),
    signed: `${header}.${claims}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

function parseObject(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The part isn't JSON. The throw below reports it.
  }
  throw new Refused('the token is not made of JSON objects');
}

function checkSignature({ header, signed, signature }: Token, key: KeyObject): void {
  if (header.alg !== 'RS256') throw new Refused(`signing method ${header.alg} is invalid`);
  if (!verify('RSA-SHA256', Buffer.from(signed), key, signature)) throw new Refused('the signature is wrong');
}

function checkClaims(claims: Record<string, unknown>, options: GatewayOptions, now: number): void {
  if (claims.iss !== options.issuer) throw new Refused(`issuer ${claims.iss} is not ${options.issuer}`);
  // client_id replaces the audience only if the token has no `aud` claim.
  const named = claims.aud === undefined ? [claims.client_id] : [claims.aud].flat();
  if (!named.some((one) => typeof one === 'string' && options.audiences.includes(one)))
    throw new Refused('the token does not have a valid audience');
  if (timeOf(claims, 'exp') <= now) throw new Refused('the token has expired');
  if (timeOf(claims, 'iat') > now) throw new Refused('the token was issued in the future');
  if (claims.nbf !== undefined && timeOf(claims, 'nbf') > now) throw new Refused('the token is not good yet');
}

function timeOf(claims: Record<string, unknown>, name: string): number {
  const value = claims[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value * 1000;
  throw new Refused(`${name} is not a time`);
}

function checkScope({ scope, scp }: Record<string, unknown>, wanted: readonly string[]): void {
  if (wanted.length === 0) return;
  if (wanted.length > gatewayLimits.scopesOfRoute)
    throw new Error(`a route has at most ${gatewayLimits.scopesOfRoute} scopes, not ${wanted.length}`);
  const held = [scope, scp].flat().flatMap((value) => (typeof value === 'string' ? value.split(' ') : []));
  if (!wanted.some((one) => held.includes(one)))
    throw new Refused("the token has none of the route's scopes", 403);
}

import { GatehouseError } from '../lib/errors.ts';

/** The path of the endpoint that gateways call. */
export const verifyPath = '/auth/verify';

/** What the operator of a gateway requires of an access token. */
export interface Requirement {
  /** If it is left out, the audience of the default API is required. */
  audience?: string;
  /** The scopes that the token must have, all of them. */
  scopes: readonly string[];
  /** The levels of sign-in that are accepted (the claim `acr`, RFC 9470). Left out: every level. */
  acr?: readonly string[];
  /** How long ago the person may have signed in at most (the claim `auth_time`, RFC 9470). */
  maxAgeSeconds?: number;
}

/** The characters that a scope may contain (RFC 6749 §3.3). They cannot end the quoted text of a challenge. */
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads the requirements from the request target that a gateway sends. There are three forms:
 * - `/auth/verify?audience=…&scope=…`, for gateways that call a fixed address;
 * - `/auth/verify;audience=…;scope=…`, for gateways that append the path and query of the original request;
 * - `/auth/verify/…`, which requires no scope and the audience of the default API.
 *
 * A gateway of the second or third form appends the path and query of the original request to its own prefix. The
 * sender of the original request controls that appended text, and it begins with a slash (RFC 9112 §3.2.1). So
 * everything from the first slash or question mark on is ignored. Only the gateway writes the text between the
 * semicolon of the second form (RFC 3986 §3.3) and that slash. In the first form the gateway appends nothing, so the
 * query is read.
 *
 * @param target path and query as they were received, without the path of the issuer
 * @throws GatehouseError `invalid_request` for a target that a correctly configured gateway would not send. A refusal
 *   is safer than a check with the wrong requirements.
 */
export function readVerifyTarget(target: string): Requirement {
  if (!target.startsWith(verifyPath)) throw misread('This is not an address to ask at.');
  const mark = target.charAt(verifyPath.length);
  const rest = target.slice(verifyPath.length + 1);
  if (mark === '' || mark === '/') return { scopes: [] };
  if (mark === '?') return requirement([...new URLSearchParams(rest)]);
  if (mark === ';') return requirement(pathParameters(rest.split(/[/?]/, 1)[0] ?? ''));
  throw misread('This is not an address to ask at.');
}

function pathParameters(segment: string): [string, string][] {
  return segment.split(';').map((parameter) => {
    const [name = '', value = ''] = parameter.split(/=(.*)/s);
    try {
      return [name, decodeURIComponent(value)];
    } catch {
      throw misread('A parameter is not percent-encoded as it should be.');
    }
  });
}

const names = new Set(['audience', 'scope', 'acr', 'max_age']);

function requirement(parameters: readonly [name: string, value: string][]): Requirement {
  const all = (wanted: string) => parameters.filter(([name]) => name === wanted).map(([, value]) => value);
  const audiences = all('audience');
  const scopes = all('scope').flatMap((value) => value.split(' '));
  const acr = all('acr').flatMap((value) => value.split(' '));
  const ages = all('max_age');
  if (parameters.some(([name]) => !names.has(name)))
    throw misread('Only audience, scope, acr and max_age are parameters here.');
  if (audiences.length > 1) throw misread('Name one audience.');
  if (!scopes.every((scope) => scopeForm.test(scope)))
    throw misread('Name scopes, with one blank between two of them.');
  if (!acr.every((value) => scopeForm.test(value)))
    throw misread('Name values of acr, with one blank between two of them.');
  // At 0 a token would be too old a second later, and apps would ask people to sign in again and again.
  if (ages.length > 1 || !ages.every((age) => /^[1-9]\d{0,8}$/.test(age)))
    throw misread('Name one max_age, in whole seconds, 1 or more.');
  const [audience] = audiences;
  return {
    ...(audience === undefined ? {} : { audience }),
    scopes: [...new Set(scopes)],
    ...(acr.length === 0 ? {} : { acr: [...new Set(acr)] }),
    ...(ages.length === 0 ? {} : { maxAgeSeconds: Number(ages[0]) }),
  };
}

const misread = (problem: string) =>
  new GatehouseError('invalid_request', `${problem} See docs/verify.md for how a gateway asks.`);

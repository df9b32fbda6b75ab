import { GatehouseError } from '../lib/errors.ts';

/** The path of the endpoint that gateways call. */
export const verifyPath = '/auth/verify';

/** The audience and scopes that the operator of a gateway requires of an access token. */
export interface Requirement {
  /** If it is left out, the audience of the default API is required. */
  audience?: string;
  /** The scopes that the token must have, all of them. */
  scopes: readonly string[];
}

/** The characters that a scope may contain (RFC 6749 §3.3). */
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads the required audience and scopes from the request target that a gateway sends. There are three forms:
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

function requirement(parameters: readonly [name: string, value: string][]): Requirement {
  const all = (wanted: string) => parameters.filter(([name]) => name === wanted).map(([, value]) => value);
  const audiences = all('audience');
  const scopes = all('scope').flatMap((value) => value.split(' '));
  if (parameters.some(([name]) => name !== 'audience' && name !== 'scope'))
    throw misread('Only audience and scope are parameters here.');
  if (audiences.length > 1) throw misread('Name one audience.');
  if (!scopes.every((scope) => scopeForm.test(scope)))
    throw misread('Name scopes, with one blank between two of them.');
  const [audience] = audiences;
  return { ...(audience === undefined ? {} : { audience }), scopes: [...new Set(scopes)] };
}

const misread = (problem: string) =>
  new GatehouseError('invalid_request', `${problem} See docs/verify.md for how a gateway asks.`);

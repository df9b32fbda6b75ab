import { GatehouseError } from '../lib/errors.ts';

/** Where gateways ask. */
export const verifyPath = '/auth/verify';

/** What the operator of a gateway wants of an access token. */
export interface Requirement {
  /** The default API's when left out. */
  audience?: string;
  /** All of them. */
  scopes: readonly string[];
}

/** What a scope may be made of (RFC 6749 §3.3). */
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads what is wanted from the request target of a check, in one of three forms:
 * - `/auth/verify?audience=…&scope=…`, for gateways that ask at a fixed address;
 * - `/auth/verify;audience=…;scope=…`, for gateways that put the path and query of the request they ask about behind it;
 * - `/auth/verify/…`: no scope, at the default API.
 *
 * Who sends the request that is asked about writes what comes after the gateway's own prefix, which begins with a slash
 * (RFC 9112 §3.2.1): so nothing from the first slash or question mark on counts, but for the query of the first form,
 * where there is no such prefix. Between the semicolon of the second form (RFC 3986 §3.3) and that slash only the gateway writes.
 *
 * @param target path and query as they came, without an issuer's path
 * @throws GatehouseError `invalid_request` for anything that a gateway set up well wouldn't send: better no answer than
 *   one to a question that was misread
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

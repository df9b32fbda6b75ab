import { etagOf } from '../lib/message-body.ts';
import { publicPart, type SigningKey } from './key-set.ts';

/** A public key in the form that verifiers read (RFC 7517 §4). */
export interface PublicJwk {
  kty: 'RSA';
  n: string;
  e: string;
  kid: string;
  alg: 'RS256';
  use: 'sig';
}

interface PublicJwks {
  jwks: { keys: PublicJwk[] };
  /** The same as text, as it is published. */
  json: string;
  etag: string;
}

let last: { keys: readonly SigningKey[]; made: PublicJwks } | undefined;

/**
 * Gives the public keys, and the ETag of their JWKS (RFC 9110 §8.8.3). The result is cached for the same keys, because
 * each verification of a token needs it.
 */
export function publicJwks(keys: readonly SigningKey[]): PublicJwks {
  const isSame = last?.keys.length === keys.length && keys.every((key, index) => key === last?.keys[index]);
  if (!last || !isSame) last = { keys: [...keys], made: makeJwks(keys) };
  return last.made;
}

/** Each member is named explicitly, so that no private member is published by mistake. */
function makeJwks(keys: readonly SigningKey[]): PublicJwks {
  const jwks = {
    keys: keys.map((key): PublicJwk => {
      return { kty: 'RSA', ...publicPart(key), kid: key.kid, alg: 'RS256', use: 'sig' };
    }),
  };
  const json = JSON.stringify(jwks);
  return { jwks, json, etag: etagOf(json) };
}

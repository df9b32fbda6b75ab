import { createPrivateKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { ConfigurationError } from '../lib/errors.ts';
import { type KeySet, type PrivateJwk, parseKeySet, serializeKeySet } from './key-set.ts';
import type { NewKey } from './rotation.ts';

const jwkSchema = z.looseObject({ kty: z.string(), kid: z.string().optional(), alg: z.string().optional() });
const jwksSchema = z.object({ keys: z.array(jwkSchema).min(1) });
type Jwk = z.output<typeof jwkSchema>;

/** The keys of a file: a whole set of Gatehouse, or keys without times, the first one being the one that shall sign. */
export type ImportedKeys = { set: KeySet } | { keys: NewKey[] };

const refuse = (problem: string) => new ConfigurationError([`The keys can't be imported: ${problem}`]);

function keyObject(position: number, key: Parameters<typeof createPrivateKey>[0]): KeyObject {
  let read: KeyObject;
  try {
    read = createPrivateKey(key);
  } catch {
    // The message of Node may contain a part of the key.
    throw refuse(
      `key ${position} is not a private key that can be read. An encrypted key must be decrypted before.`,
    );
  }
  const bits = read.asymmetricKeyDetails?.modulusLength ?? 0;
  if (read.asymmetricKeyType !== 'rsa' || bits < 2048)
    throw refuse(
      `key ${position} is not an RSA key of at least 2048 bits. API Gateway accepts no other kind.`,
    );
  return read;
}

async function newKey(position: number, jwk: Jwk): Promise<NewKey> {
  if (jwk.alg !== undefined && jwk.alg !== 'RS256')
    throw refuse(`key ${position} is for another algorithm than RS256.`);
  const privateJwk = keyObject(position, { key: jwk, format: 'jwk' }).export({ format: 'jwk' }) as PrivateJwk;
  const { kty, n, e } = privateJwk;
  return { kid: jwk.kid ?? (await calculateJwkThumbprint({ kty, n, e }, 'sha256')), privateJwk };
}

/**
 * Parses a key set of Gatehouse, a private JWK or a JWK Set (RFC 7517), or a private key in PEM. A key without a `kid`
 * gets its thumbprint (RFC 7638).
 *
 * @throws ConfigurationError that names the key by its position and never contains a part of it
 */
export async function parseImportedKeys(text: string): Promise<ImportedKeys> {
  if (/^\s*-----BEGIN/.test(text)) {
    const jwk = keyObject(1, text).export({ format: 'jwk' });
    return { keys: [await newKey(1, jwkSchema.parse(jwk))] };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('the file holds neither JSON nor a key in PEM.');
  }
  if (isOwnSet(value)) return { set: parseKeySet(text) };
  const jwks = jwksSchema.safeParse(value);
  const jwk = jwkSchema.safeParse(value);
  const jwkList = jwks.success ? jwks.data.keys : jwk.success ? [jwk.data] : undefined;
  if (jwkList === undefined)
    throw refuse('the JSON is neither a key set of Gatehouse, nor a JWK, nor a JWK Set.');
  return { keys: await Promise.all(jwkList.map((one, index) => newKey(index + 1, one))) };
}

const isOwnSet = (value: unknown) =>
  z.object({ keys: z.array(z.looseObject({ signsFrom: z.unknown() })).min(1) }).safeParse(value).success &&
  JSON.stringify(value).includes('"privateJwk"');

/**
 * The first set of a store, from keys of another provider: the first one signs from now on, and the others are published
 * like retired keys until their last token has expired.
 *
 * @throws ConfigurationError when two keys have the same `kid`
 */
export function importedSet([signing, ...others]: NewKey[], now: number): KeySet {
  if (signing === undefined) throw refuse('there is no key.');
  const times = { publishedAt: now, signsFrom: now };
  return parseKeySet(
    serializeKeySet({
      keys: [{ ...signing, ...times }, ...others.map((key) => ({ ...key, ...times, retiredAt: now }))],
    }),
  );
}

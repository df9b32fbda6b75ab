import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import type { PrivateJwk } from './key-set.ts';

const generate = promisify(generateKeyPair);

/**
 * Generates an RSA key of 2048 bits for RS256. Its kid is its thumbprint (RFC 7638). This takes about 100 ms of CPU
 * time.
 */
export async function generateKey(): Promise<{ kid: string; privateJwk: PrivateJwk }> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 });
  const privateJwk = privateKey.export({ format: 'jwk' }) as PrivateJwk;
  const { kty, n, e } = privateJwk;
  return { kid: await calculateJwkThumbprint({ kty, n, e }, 'sha256'), privateJwk };
}

import { randomBytes } from 'node:crypto';

/** `bytes` random bytes in base64url. Use 32 bytes for bearer values and 16 bytes for names. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

const poolBytes = 4096;
let pool = Buffer.alloc(0);

/**
 * An id of 96 random bits for values that are not secret, such as the id of a request. The random bytes are generated
 * for many ids at once, because generating them is the slowest step.
 */
export function passingId(): string {
  if (pool.length < 12) pool = randomBytes(poolBytes);
  const id = pool.toString('base64url', 0, 12);
  pool = pool.subarray(12);
  return id;
}

/** A new id with 128 random bits. Its prefix shows the kind of object: `user_…`, `fam_…`, `evt_…`. */
export function newId(prefix: string): string {
  return `${prefix}_${randomToken(16)}`;
}

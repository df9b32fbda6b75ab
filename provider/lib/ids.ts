import { randomBytes } from 'node:crypto';

const poolBytes = 4096;
let pool = Buffer.alloc(0);

/**
 * At most 4096 bytes from the system's source of random bytes. They are generated for many callers at once, because
 * each call to the system costs as much as a MAC. No byte is given twice.
 */
export function randomBytesOf(bytes: number): Buffer {
  if (pool.length < bytes) pool = randomBytes(poolBytes);
  const given = pool.subarray(0, bytes);
  pool = pool.subarray(bytes);
  return given;
}

/** `bytes` random bytes in base64url. Use 32 bytes for bearer values and 16 bytes for names. */
export const randomToken = (bytes = 32): string => randomBytesOf(bytes).toString('base64url');

/** An id of 96 random bits for values that are not secret, such as the id of a request. */
export const passingId = (): string => randomToken(12);

/** A new id with 128 random bits. Its prefix shows the kind of object: `user_…`, `fam_…`, `evt_…`. */
export function newId(prefix: string): string {
  return `${prefix}_${randomToken(16)}`;
}

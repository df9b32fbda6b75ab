import { randomBytes } from 'node:crypto';

/** `bytes` random bytes in base64url. 32 bytes for anything a bearer presents, 16 for names. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

const poolBytes = 4096;
let pool = Buffer.alloc(0);

/**
 * As unlike any other as 96 random bits, for what is told to everybody anyway: a request's id. From bytes that are drawn for
 * many at once, since drawing takes longer than all else that an id needs.
 */
export function passingId(): string {
  if (pool.length < 12) pool = randomBytes(poolBytes);
  const id = pool.toString('base64url', 0, 12);
  pool = pool.subarray(12);
  return id;
}

/** A new id that says what it names: `user_…`, `fam_…`, `evt_…`; 128 bits of randomness. */
export function newId(prefix: string): string {
  return `${prefix}_${randomToken(16)}`;
}

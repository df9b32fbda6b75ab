import { randomBytes } from 'node:crypto';

/** `bytes` random bytes in base64url. 32 bytes for anything a bearer presents, 16 for names. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** A new id that says what it names: `user_…`, `fam_…`, `evt_…`; 128 bits of randomness. */
export function newId(prefix: string): string {
  return `${prefix}_${randomToken(16)}`;
}

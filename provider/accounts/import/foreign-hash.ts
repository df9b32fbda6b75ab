import {
  type BinaryLike,
  createCipheriv,
  createHash,
  pbkdf2 as pbkdf2Callback,
  type ScryptOptions,
  scrypt as scryptCallback,
  timingSafeEqual,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { ForeignHash } from './foreign-hash-formats.ts';

const pbkdf2 = promisify(pbkdf2Callback);
const scrypt = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scryptCallback);

type ScryptHash = Extract<ForeignHash, { ln: number }>;

/**
 * Whether these bytes are the password of the hash. It runs on the threads of libuv and compares in constant time. The
 * parameters of the hash determine its cost. bcrypt uses only the first 72 bytes, as in every implementation.
 */
export async function matchesForeignHash(password: Buffer, stored: ForeignHash): Promise<boolean> {
  if (stored.scheme === 'bcrypt') {
    // Loaded only here: most installations have imported no such hash, and a native module takes memory.
    const { verify } = await import('@node-rs/bcrypt');
    const input = stored.digested ? createHash('sha256').update(password).digest('hex') : password;
    return verify(input, stored.text);
  }
  return timingSafeEqual(await derive(password, stored), stored.hash);
}

/**
 * Whether only this password matches the hash. If not, the password that was typed may not be the person's, so it must not become
 * their new hash. bcrypt uses the first 72 bytes, and repeats a shorter password with a NUL between the copies. HMAC, on which
 * PBKDF2 and scrypt are built, fills its key up with NULs (RFC 2104 §2).
 */
export function coversWholePassword(password: Buffer, stored: ForeignHash): boolean {
  if (stored.scheme !== 'bcrypt') return password.at(-1) !== 0;
  return stored.digested || (password.length < 72 && !password.includes(0));
}

function derive(password: Buffer, stored: Exclude<ForeignHash, { scheme: 'bcrypt' }>): Promise<Buffer> {
  const { salt, hash } = stored;
  switch (stored.scheme) {
    case 'pbkdf2':
      return pbkdf2(password, salt, stored.iterations, hash.length, stored.digest);
    case 'scrypt':
      return scryptKey(password, stored, hash.length);
    case 'firebase-scrypt':
      return firebaseKeyStream(password, stored);
  }
}

function scryptKey(password: Buffer, { ln, r, p, salt }: ScryptHash, bytes: number): Promise<Buffer> {
  const N = 2 ** ln;
  // OpenSSL requires 128 bytes for each unit of N × r and p × r, and a little more.
  const maxmem = 128 * r * (N + p + 2) + 1024;
  return scrypt(password, salt, bytes, { N, r, p, maxmem });
}

/**
 * Firebase encrypts the signer key of a project with AES-256 in counter mode. scrypt derives the key from the password.
 * The import stores only the key stream. So verification does not need the signer key, which also protects the hashes
 * of all other accounts.
 */
async function firebaseKeyStream(password: Buffer, stored: ScryptHash): Promise<Buffer> {
  const key = await scryptKey(password, stored, 32);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(stored.hash.length));
}

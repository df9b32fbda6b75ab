import { randomBytes } from 'node:crypto';
import { hash, hashSync, type ParsedHashOptions, parseOptions, verify } from '@node-rs/argon2';
import { GatehouseError } from '../lib/errors.ts';
import type { HashingPool } from './hashing-pool.ts';

/** Parameters of Argon2id (RFC 9106). */
export interface PasswordParams {
  memoryKib: number;
  passes: number;
  parallelism: number;
}

/** What OWASP's Password Storage Cheat Sheet asks for at least. */
export const owaspParams: PasswordParams = { memoryKib: 19_456, passes: 2, parallelism: 1 };

export interface PasswordCheck {
  matches: boolean;
  /** The password is right, and its hash was made under other parameters than the current ones. */
  needsRehash: boolean;
}

/**
 * Every call costs one hash, waits for its turn in the pool, and throws `overloaded` when too many wait and
 * `validation_failed` for a password of more than 1024 characters.
 */
export interface Passwords {
  /** Gives a PHC string with a salt of its own. */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /** A stored hash that can't be read, or that asks for more than a gigabyte, matches nothing. */
  verify(password: string, phc: string, signal?: AbortSignal): Promise<PasswordCheck>;
  /** Costs what `verify` costs for a hash under the current parameters; for when there is none to verify. */
  verifyNothing(password: string, signal?: AbortSignal): Promise<void>;
}

export interface PasswordsDeps {
  params: PasswordParams;
  pool: HashingPool;
}

const longest = 1024;
const hashBytes = 32;
// As the library numbers them; its enums exist in its types only.
const argon2id = 2;
const version13 = 1;

/** Argon2id with these parameters; hashes under others are still verified. Takes one hash's time to construct. */
export function createPasswords({ params, pool }: PasswordsDeps): Passwords {
  const options = {
    algorithm: argon2id,
    memoryCost: params.memoryKib,
    timeCost: params.passes,
    parallelism: params.parallelism,
    outputLen: hashBytes,
  };
  const nobodys = hashSync(randomBytes(32), options);
  const check = (bytes: Buffer, phc: string, signal: AbortSignal | undefined) =>
    pool.run(() => verify(phc, bytes), signal);

  return {
    hash: async (password, signal) => {
      const bytes = prepare(password);
      return pool.run(() => hash(bytes, options), signal);
    },
    verify: async (password, phc, signal) => {
      const bytes = prepare(password);
      const stored = read(phc);
      const right = await check(bytes, stored === undefined ? nobodys : phc, signal);
      const matches = right && stored !== undefined;
      return { matches, needsRehash: matches && !isCurrent(stored, params) };
    },
    verifyNothing: async (password, signal) => {
      await check(prepare(password), nobodys, signal);
    },
  };
}

/**
 * NFC, so that a password typed on a keyboard that composes and on one that doesn't is the same (RFC 8265 §4.2
 * prescribes it for passwords). Not NFKC: it would make ² the same as 2, and so passwords poorer.
 */
function prepare(password: string): Buffer {
  if (password.length > longest) {
    const message = `A password has at most ${longest} characters. Use a shorter one.`;
    throw new GatehouseError('validation_failed', message, { fields: [{ pointer: '/password', message }] });
  }
  return Buffer.from(password.normalize('NFC'), 'utf8');
}

/** Undefined for what isn't an Argon2 hash, or is one that would bring the process down. */
function read(phc: string): ParsedHashOptions | undefined {
  try {
    const stored = parseOptions(phc);
    const bounded = stored.memoryCost <= 1_048_576 && stored.timeCost <= 64 && stored.parallelism <= 16;
    return bounded ? stored : undefined;
  } catch {
    return undefined;
  }
}

function isCurrent(stored: ParsedHashOptions, params: PasswordParams): boolean {
  return (
    stored.algorithm === argon2id &&
    stored.version === version13 &&
    stored.memoryCost === params.memoryKib &&
    stored.timeCost === params.passes &&
    stored.parallelism === params.parallelism &&
    stored.outputLen === hashBytes
  );
}

import { randomBytes } from 'node:crypto';
import { hash, hashSync, type ParsedHashOptions, parseOptions, verify } from '@node-rs/argon2';
import type { Config } from '../config/schema.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { HashingPool } from './hashing-pool.ts';
import { matchesForeignHash } from './import/foreign-hash.ts';
import { type ForeignHash, readForeignHash, type Unreadable } from './import/foreign-hash-formats.ts';

/** Parameters of Argon2id (RFC 9106). */
export interface PasswordParams {
  memoryKib: number;
  passes: number;
  parallelism: number;
}

/** Gives the parameters from the settings. */
export const passwordParams = (
  config: Pick<Config, 'argon2MemoryKib' | 'argon2Passes' | 'argon2Parallelism'>,
): PasswordParams => ({
  memoryKib: config.argon2MemoryKib,
  passes: config.argon2Passes,
  parallelism: config.argon2Parallelism,
});

export interface PasswordCheck {
  matches: boolean;
  /**
   * The password is right, but the stored hash should be replaced: it is of another kind, has other parameters, or was
   * made from a password that is not in NFC.
   */
  needsRehash: boolean;
}

/**
 * Hashes and verifies passwords. Every call waits in the pool. It throws `overloaded` when too many calls wait, and
 * `validation_failed` for a password of more than 1024 characters. A call costs one hash. The verification of a
 * password that isn't in NFC can cost two.
 */
export interface Passwords {
  /** Gives a PHC string of Argon2id with a new salt. */
  hash(password: string): Promise<string>;
  /**
   * Verifies our own hashes and hashes of other systems (foreign-hash-formats.ts). The parameters of a foreign hash
   * determine its cost. A hash that can't be read, or that is too expensive, matches no password and costs as much as
   * one of our hashes.
   */
  verify(password: string, stored: string): Promise<PasswordCheck>;
  /**
   * Costs as much as `verify` of a hash with the current parameters. Call it for accounts that have no hash or don't
   * exist.
   */
  verifyNothing(password: string): Promise<void>;
}

export interface PasswordsDeps {
  params: PasswordParams;
  pool: Pick<HashingPool, 'run'>;
}

const longest = 1024;
const hashBytes = 32;
const shortestHash = 16;
const gibibyte = 1_048_576; // in KiB, as the parameters are
// The numbers that the library uses. Its enums exist only as types.
const argon2id = 2;
const version13 = 1;

/**
 * Creates `Passwords` with Argon2id and these parameters. It also verifies hashes of other kinds. Creation takes as
 * long as one hash.
 */
export function createPasswords({ params, pool }: PasswordsDeps): Passwords {
  const options = {
    algorithm: argon2id,
    memoryCost: params.memoryKib,
    timeCost: params.passes,
    parallelism: params.parallelism,
    outputLen: hashBytes,
  };
  const dummyHash = hashSync(randomBytes(32), options);
  const check = (candidates: Buffer[], test: Test) => pool.run(() => firstRight(candidates, test));

  return {
    hash: async (password) => {
      const [bytes] = formsOf(password);
      return pool.run(() => hash(bytes, options));
    },
    verify: async (password, stored) => {
      const forms = formsOf(password);
      const known = readStoredHash(stored);
      if ('scheme' in known) {
        // Other systems hash the password as it was typed, so this form is tried first.
        const right = await check(forms.toReversed(), (bytes) => matchesForeignHash(bytes, known));
        return { matches: right !== undefined, needsRehash: right !== undefined };
      }
      const phc = 'problem' in known ? dummyHash : stored;
      const right = await check(forms, (bytes) => verify(phc, bytes));
      if (right === undefined || 'problem' in known) return { matches: false, needsRehash: false };
      return { matches: true, needsRehash: right !== forms[0] || !isCurrent(known, params) };
    },
    verifyNothing: async (password) => {
      await check(formsOf(password), (bytes) => verify(dummyHash, bytes));
    },
  };
}

/**
 * Gives the reason why `verify` can't read this text; undefined when it can. An import refuses such a hash, because its
 * owner could not sign in with it.
 */
export function storedHashProblem(stored: string): string | undefined {
  const known = readStoredHash(stored);
  return 'problem' in known ? known.problem : undefined;
}

/** Throws `validation_failed` for a text that is longer than any password. Call it before an account is looked up. */
export function ensureNotTooLong(password: string): void {
  if (password.length <= longest) return;
  const message = `A password has at most ${longest} characters. Use a shorter one.`;
  throw new GatehouseError('validation_failed', message, { fields: [{ pointer: '/password', message }] });
}

type Test = (bytes: Buffer) => Promise<boolean>;

async function firstRight(candidates: Buffer[], test: Test): Promise<Buffer | undefined> {
  for (const candidate of candidates) if (await test(candidate)) return candidate;
  return undefined;
}

/**
 * Gives the password in NFC, and then as it was typed if that differs. We hash NFC, so that the hash is the same for
 * keyboards that compose characters and keyboards that don't (RFC 8265 §4.2). An imported hash may be of either form.
 * NFKC is not used: it would make ² equal to 2, which weakens passwords.
 */
function formsOf(password: string): [Buffer, ...Buffer[]] {
  ensureNotTooLong(password);
  const composed = password.normalize('NFC');
  const forms: [string, ...string[]] = composed === password ? [composed] : [composed, password];
  return forms.map((form) => Buffer.from(form, 'utf8')) as [Buffer, ...Buffer[]];
}

function readStoredHash(stored: string): ParsedHashOptions | ForeignHash | Unreadable {
  return stored.startsWith('$argon2') ? readArgon2(stored) : readForeignHash(stored);
}

function readArgon2(phc: string): ParsedHashOptions | Unreadable {
  let stored: ParsedHashOptions;
  try {
    stored = parseOptions(phc);
  } catch {
    return { problem: "This Argon2 hash can't be read. It may be cut off." };
  }
  const { memoryCost, timeCost, parallelism, outputLen } = stored;
  const bounded =
    memoryCost <= gibibyte && timeCost <= 64 && parallelism <= 16 && memoryCost * timeCost <= 20 * gibibyte;
  if (!bounded) {
    const limit = '1 GiB of memory, 64 passes, 16 lanes, and 20 GiB for memory times passes';
    return { problem: `Verifying it would cost more than is allowed, which is ${limit}. Leave it out.` };
  }
  if (outputLen < shortestHash) return { problem: `A hash has at least ${shortestHash} bytes.` };
  return stored;
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

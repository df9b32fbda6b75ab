import { randomBytes } from 'node:crypto';
import { hash, type ParsedHashOptions, parseOptions, verify } from '@node-rs/argon2';
import type { Config } from '../config/schema.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { HashingPool } from './hashing-pool.ts';
import { decodeBase64, encodeBase64 } from './import/base64.ts';
import { coversWholePassword, matchesForeignHash } from './import/foreign-hash.ts';
import { type ForeignHash, readForeignHash, type Unreadable } from './import/foreign-hash-formats.ts';
import { argon2Cost, costProblem, isCostly } from './import/hash-cost.ts';

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
  /**
   * The password is right, but the stored hash covers only a part of it. The rest may be wrong, so this password must not
   * become a new hash. The person has to choose a new password.
   */
  needsNewPassword?: true | undefined;
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
  pool: Lane;
  /** Runs the checks of costly hashes of other systems. Default: `pool`. */
  costlyLane?: Lane | undefined;
}

const longest = 1024;
const hashBytes = 32;
const shortestHash = 16;
// The numbers that the library uses. Its enums exist only as types.
const argon2id = 2;
const version13 = 1;

/** Creates `Passwords` with Argon2id and these parameters. It also verifies hashes of other kinds. */
export function createPasswords({ params, pool, costlyLane = pool }: PasswordsDeps): Passwords {
  const options = {
    algorithm: argon2id,
    memoryCost: params.memoryKib,
    timeCost: params.passes,
    parallelism: params.parallelism,
    outputLen: hashBytes,
  };
  // Random bytes in place of a hash: no password matches them, and a check costs as much as that of a real hash.
  const { memoryKib, passes, parallelism } = params;
  const [salt, noHash] = [randomBytes(16), randomBytes(hashBytes)].map((bytes) => encodeBase64(bytes));
  const dummyHash = `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${salt}$${noHash}`;
  const ownCostMs = argon2Cost(params.memoryKib, params.passes).ms;
  const check = (candidates: Buffer[], test: Test, { costMs, lane }: { costMs: number; lane: Lane }) =>
    lane.run(() => firstRight(candidates, test), costMs * candidates.length);
  const checkNothing = (forms: Buffer[]) =>
    check(forms, (bytes) => verify(dummyHash, bytes), { costMs: ownCostMs, lane: pool });

  return {
    hash: async (password) => {
      const [bytes] = formsOf(password);
      return pool.run(() => hash(bytes, options), ownCostMs);
    },
    verify: async (password, stored) => {
      const forms = formsOf(password);
      const known = readStoredHash(stored, params);
      if ('scheme' in known) {
        // Other systems hash the password as it was typed, so this form is tried first.
        const test: Test = (bytes) => matchesForeignHash(bytes, known);
        const lane = isCostly(known.cost) ? costlyLane : pool;
        const right = await check(forms.toReversed(), test, { costMs: known.cost.ms, lane });
        if (right === undefined) return { matches: false, needsRehash: false };
        const isCertain = coversWholePassword(right, known);
        return { matches: true, needsRehash: isCertain, needsNewPassword: isCertain ? undefined : true };
      }
      if ('problem' in known) {
        await checkNothing(forms);
        return { matches: false, needsRehash: false };
      }
      const lane = known.isCostly ? costlyLane : pool;
      const costMs = known.costMs ?? ownCostMs;
      const right = await check(forms, (bytes) => verify(known.phc, bytes), { costMs, lane });
      if (right === undefined) return { matches: false, needsRehash: false };
      return { matches: true, needsRehash: right !== forms[0] || !isCurrent(known.options, params) };
    },
    verifyNothing: async (password) => {
      await checkNothing(formsOf(password));
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

type Lane = Pick<HashingPool, 'run'>;

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

interface Argon2Hash {
  /** As the library reads it. */
  phc: string;
  options: ParsedHashOptions;
  /** Undefined for a hash with our parameters. */
  costMs?: number;
  isCostly: boolean;
}

/** @param ours a hash with these parameters is never refused, and always runs in the pool */
function readStoredHash(stored: string, ours?: PasswordParams): Argon2Hash | ForeignHash | Unreadable {
  const text = stored.startsWith('argon2$') ? stored.slice('argon2'.length) : stored; // Django writes its own name first.
  return text.startsWith('$argon2') ? readArgon2(text, ours) : readForeignHash(text);
}

/** `keyid` is not read: it names a secret that isn't in the text, so such a hash would never match. */
const argon2 =
  /^(?<head>\$argon2(?:id|i|d)(?:\$v=(?:16|19))?\$(?:[mtp]=\d{1,10},){2}[mtp]=\d{1,10}(?:,data=[A-Za-z0-9+/]*)?)\$(?<salt>[^$]+)\$(?<hash>[^$]+)$/;

function readArgon2(text: string, ours: PasswordParams | undefined): Argon2Hash | Unreadable {
  const groups = argon2.exec(text)?.groups;
  const options = groups && parsed(text);
  if (options && ours && isCurrent(options, ours)) return { phc: text, options, isCostly: false };
  const phc = options ? text : groups && respelled(groups);
  const read = options ?? (phc === undefined ? undefined : parsed(phc));
  if (phc === undefined || read === undefined)
    return {
      problem:
        "This Argon2 hash can't be read. It may be cut off, or have a parameter besides m, t, p and data.",
    };
  const cost = argon2Cost(read.memoryCost, read.timeCost);
  const problem = costProblem(cost);
  if (problem !== undefined) return { problem };
  if (read.outputLen < shortestHash) return { problem: `A hash has at least ${shortestHash} bytes.` };
  return { phc, options: read, costMs: cost.ms, isCostly: isCostly(cost) };
}

function parsed(phc: string): ParsedHashOptions | undefined {
  try {
    return parseOptions(phc);
  } catch {
    return undefined;
  }
}

/** The library reads Base64 only in the standard alphabet, without padding and without stray bits. */
function respelled({ head, salt = '', hash = '' }: Record<string, string | undefined>): string | undefined {
  const [saltBytes, hashBytes] = [decodeBase64(salt), decodeBase64(hash)];
  if (saltBytes === undefined || hashBytes === undefined) return undefined;
  return `${head}$${encodeBase64(saltBytes)}$${encodeBase64(hashBytes)}`;
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

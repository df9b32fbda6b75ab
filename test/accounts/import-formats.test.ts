import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import type { FirebaseParameters } from '../../provider/accounts/import/firebase-hash.ts';
import { createPasswords, storedHashProblem } from '../../provider/accounts/passwords.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { pythonWith } from '../support/python.ts';
import { cheap, from } from './account-world.ts';
import { createImportWorld } from './import-world.ts';

interface MadeHash {
  format: string;
  password: string;
  line: { passwordHash?: string };
}

interface Made {
  made: MadeHash[];
  firebase: FirebaseParameters;
}

let python: string;
beforeAll(async () => {
  python = await pythonWith([
    'passlib==1.7.4',
    'bcrypt==4.0.1',
    'Django==5.2.19',
    'argon2-cffi==25.1.0',
    'cryptography==50.0.2',
  ]);
}, 240_000);

/** One hash in each format, made in Python by the libraries of the systems that the formats come from. */
async function makeHashes(passwords: string[]): Promise<Made> {
  const child = spawn(python, ['test/accounts/import-formats/make_hashes.py'], { cwd: packageRoot });
  const exited = once(child, 'close');
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(passwords));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  if (code !== 0) throw new Error(errors);
  return JSON.parse(output);
}

/** Passwords that bcrypt covers completely: shorter than 72 bytes, without NUL. */
const password = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((one) => Buffer.byteLength(one) < 72 && !one.includes('\0'));
const passwords = fc.array(password, { minLength: 1, maxLength: 8 });

class TooCostly extends Error {}

/** Refuses costly checks, because a mutation can make a hash costly. */
function cheapChecks() {
  const pool = createHashingPool({ concurrency: 2, queueLimit: 10, clock: createManualClock() });
  const costlyLane = { run: () => Promise.reject(new TooCostly()) };
  return createPasswords({ params: cheap, pool, costlyLane });
}

const bcryptDigits = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const bytesOf = (base64: string) =>
  Buffer.from(base64.replace(/=+$/, '').replaceAll('.', '+'), 'base64').toString('hex');
const bcryptBytes = (digits64: string) =>
  bytesOf([...digits64].map((digit) => digits[bcryptDigits.indexOf(digit)]).join(''));

/** The parameters and the bytes of a hash: two texts with the same meaning are the same hash in two spellings. */
function meaningOf(stored: string): { parameters: string; hash: string } {
  const crypted = /^(.*\$)2[aby](\$\d\d\$)(.{22})(.{31})$/.exec(stored);
  if (crypted) {
    const [, before, cost, salt = '', hash = ''] = crypted;
    return { parameters: `${before}${cost}${bcryptBytes(salt)}`, hash: bcryptBytes(hash) };
  }
  const unwrapped = Buffer.from(bytesOf(stored), 'hex').toString('latin1');
  if (unwrapped.startsWith('$2')) return meaningOf(unwrapped);
  const parts = stored.split('$');
  const hash = bytesOf(parts.pop() ?? '');
  // Only Django's salts are text.
  if (stored.startsWith('$') || stored.startsWith('argon2$')) parts.push(bytesOf(parts.pop() ?? ''));
  const inLogarithms = (_: string, ln: string) => `ln=${Number(ln) < 32 ? ln : Math.log2(Number(ln))},`;
  return { parameters: parts.join('$').replace(/ln=(\d+),/, inLogarithms), hash };
}

interface Mutation {
  kind: 'replace' | 'insert' | 'delete';
  /** Where, from 0 (the first character) to 1000. */
  at: number;
  character: string;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('replace', 'insert', 'delete'),
  // The last characters have the stray bits and the padding.
  at: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 1000 }) }, fc.constantFrom(1000)),
  character: fc.constantFrom(...digits, '.', '-', '_', '=', '$', ',', ' ', 'é'),
});

function mutated(stored: string, { kind, at, character }: Mutation): string {
  const index = Math.floor((at * (stored.length - 1)) / 1000);
  const kept = kind === 'insert' ? index : index + 1;
  return stored.slice(0, index) + (kind === 'delete' ? '' : character) + stored.slice(kept);
}

describe('every format that an import reads', () => {
  test('is verified at the next sign-in and becomes one of ours', async () => {
    await fc.assert(
      fc.asyncProperty(passwords, async (some) => {
        const { made, firebase } = await makeHashes(some);
        const world = createImportWorld();
        const accounts = made.map((one, index) => ({ ...one, email: `user${index}@example.com` }));
        const lines = accounts.map(({ email, line }) => ({ email, ...line }));
        expect((await world.import(lines, { firebase })).problems).toEqual([]);
        for (const { format, email, password } of accounts) {
          const outcome = async (tried: string) =>
            world.signIn({ ...from, email, password: tried }).then(
              ({ needsNewPassword }) => (needsNewPassword ? 'asked for a new password' : 'signed in'),
              ({ code }: { code: string }) => code,
            );
          const outcomes = [await outcome(`${password}.`), await outcome(password), await outcome(password)];
          expect({ format, outcomes }).toEqual({
            format,
            outcomes: ['invalid_credentials', 'signed in', 'signed in'],
          });
          const stored = (await world.store.findByEmail(email))?.passwordHash;
          expect({ format, stored }).toEqual({ format, stored: expect.stringMatching(/^\$argon2id\$/) });
        }
      }),
      { numRuns: 3, endOnFailure: true },
    );
  }, 120_000);

  test('with one character changed is refused by the import, or verified as what it says', async () => {
    const seen = { refused: 0, verified: 0, differs: 0 };
    await fc.assert(
      fc.asyncProperty(
        passwords,
        fc.array(mutation, { minLength: 60, maxLength: 60 }),
        async (some, mutations) => {
          const { made } = await makeHashes(some);
          for (const { format, password, line } of made) {
            if (line.passwordHash === undefined) continue;
            const original = meaningOf(line.passwordHash);
            for (const change of mutations) {
              const stored = mutated(line.passwordHash, change);
              const outcome = await outcomeOf(password, stored);
              seen[outcome === 'costly' ? 'differs' : outcome] += 1;
              const meaning = meaningOf(stored);
              const sameParameters = meaning.parameters === original.parameters;
              const allowed =
                sameParameters && meaning.hash === original.hash
                  ? ['refused', 'verified']
                  : // The first bytes of a derived key are a shorter derived key, and one more byte may be right by chance.
                    sameParameters &&
                      (original.hash.startsWith(meaning.hash) || meaning.hash.startsWith(original.hash))
                    ? ['refused', 'verified', 'differs']
                    : ['refused', 'differs', 'costly'];
              if (!allowed.includes(outcome)) expect({ format, stored, password, outcome }).toEqual(allowed);
            }
          }
        },
      ),
      { numRuns: 3, endOnFailure: true },
    );
    // The mutations reached every outcome, or the property says nothing.
    expect(Object.values(seen).every((count) => count > 50)).toBe(true);
  }, 120_000);
});

async function outcomeOf(
  password: string,
  stored: string,
): Promise<'refused' | 'verified' | 'differs' | 'costly'> {
  if (storedHashProblem(stored) !== undefined) return 'refused';
  try {
    return (await cheapChecks().verify(password, stored)).matches ? 'verified' : 'differs';
  } catch (error) {
    if (error instanceof TooCostly) return 'costly';
    throw error;
  }
}

describe('a salt and a hash in Base64', () => {
  const last = (base64: string) => digits.indexOf(base64.at(-1) ?? '');
  /** With a bit set in the last digit that belongs to no byte. */
  const stray = (base64: string) =>
    base64.length % 4 === 0 ? base64 : base64.slice(0, -1) + digits[last(base64) + 1];
  const spellings: [name: string, spell: (base64: string) => string][] = [
    ['with padding', (base64) => base64 + '='.repeat(-base64.length & 3)],
    ['URL-safe', (base64) => base64.replaceAll('+', '-').replaceAll('/', '_')],
    ["passlib's", (base64) => base64.replaceAll('+', '.')],
    ['with stray bits', stray],
  ];
  const spelled = ['argon2-cffi, ID, 1.3', 'argon2-cffi, I, 1.0', "Kratos' pbkdf2", "passlib's scrypt"];

  test.each(spellings)(
    'may be written %s',
    async (_, spell) => {
      await fc.assert(
        fc.asyncProperty(passwords, async (some) => {
          const { made } = await makeHashes(some);
          for (const format of spelled) {
            const found = made.find((one) => one.format === format);
            const parts = (found?.line.passwordHash ?? '').split('$');
            const stored = [...parts.slice(0, -2), ...parts.slice(-2).map(spell)].join('$');
            expect({ format, outcome: await outcomeOf(found?.password ?? '', stored) }).toEqual({
              format,
              outcome: 'verified',
            });
          }
        }),
        { numRuns: 3, endOnFailure: true },
      );
    },
    60_000,
  );

  test('may have bits in the last digits of bcrypt that belong to no byte', async () => {
    const { made } = await makeHashes(['pässwörd']);
    const bcrypt = made.filter(({ line }) => line.passwordHash?.startsWith('$2'));
    expect(bcrypt).toHaveLength(4);
    for (const { password, line } of bcrypt) {
      const stored = line.passwordHash ?? '';
      const next = (digit: string, by: number) => bcryptDigits[bcryptDigits.indexOf(digit) + by];
      for (const by of [1, 7, 15]) {
        const salted = stored.slice(0, 28) + next(stored.charAt(28), by) + stored.slice(29);
        await expect(outcomeOf(password, salted)).resolves.toBe('verified');
      }
      for (const by of [1, 3]) {
        const hashed = stored.slice(0, 59) + next(stored.charAt(59), by);
        await expect(outcomeOf(password, hashed)).resolves.toBe('verified');
      }
    }
  });
});

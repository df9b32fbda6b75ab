import { describe, expect, test } from '@jest/globals';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import { createPasswords, type PasswordParams } from '../../provider/accounts/passwords.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { cheap } from './account-world.ts';
import { owaspParams } from './owasp-params.ts';
import { referenceArgon2 } from './reference-argon2.ts';

function create(params: PasswordParams = cheap) {
  const pool = createHashingPool({ concurrency: 2, queueLimit: 100, clock: createManualClock() });
  return createPasswords({ params, pool });
}

const odd = ['', 'correct-horse-battery', 'a\0b', 'wörd 🔑 ключ', ' white space ', 'x'.repeat(1024)];

/** Made by the `argon2` package, version 0.45.1, which writes the parameters in another order. */
const vectors: [string, string][] = [
  [
    'correct-horse-battery',
    '$argon2id$v=19$m=19456,p=1,t=2$VSDmB1RbExu4wIwRfF/DqQ$BP9TAxHd/XhKfZj/KIWRiccgMPnzfqiYbf89jWCsLAQ',
  ],
  [
    'pass\0wörd 🔑',
    '$argon2id$v=19$m=1024,p=2,t=3$R48W2O93bXaqnwl0LW4taQ$Ofd0caUR6b2pTAVKGl5ZNe3HvDHXMruqTKR6qZ0nCJU',
  ],
  ['', '$argon2id$v=19$m=256,p=1,t=1$Zyp8euMdjXHh+K2xXVFeyA$MRfCsNNv/TTNziEMZOnc8+PtVecP6D32q2ODSf4YmvY'],
  [
    'legacy',
    '$argon2i$v=19$m=512,p=1,t=2$jh2EyVYs9kdV6Ze+fRwUdg$dHe8e2gp+wdPzfXg349vIVzpnp/UJHYovwMNIwsKIbg',
  ],
];

describe('the format of hashes', () => {
  test('is Argon2id with OWASP parameters and a new salt for each hash', async () => {
    const passwords = create(owaspParams);
    const [one, other] = await Promise.all([passwords.hash('same'), passwords.hash('same')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(other);
  });

  test('is understood by the reference implementation, and its hashes are verified here', async () => {
    const passwords = create();
    const ours = await Promise.all(odd.map((password) => passwords.hash(password)));
    const options = { memoryCost: cheap.memoryKib, timeCost: cheap.passes, parallelism: cheap.parallelism };
    const answers = await referenceArgon2([
      ...odd.map((password, index) => ({ verify: password, phc: ours[index] ?? '' })),
      ...odd.map((password, index) => ({ verify: `${password}.`, phc: ours[index] ?? '' })),
      ...odd.map((password) => ({ hash: password, ...options })),
    ]);
    expect(answers.slice(0, odd.length)).toEqual(odd.map(() => true));
    expect(answers.slice(odd.length, 2 * odd.length)).toEqual(odd.map(() => false));
    const theirs = answers.slice(2 * odd.length).map(String);
    const checks = await Promise.all(odd.map((password, i) => passwords.verify(password, theirs[i] ?? '')));
    expect(checks).toEqual(odd.map(() => ({ matches: true, needsRehash: false })));
  }, 180_000);

  test.each(vectors)(
    'includes hashes that the reference implementation made of %j',
    async (password, phc) => {
      await expect(create().verify(password, phc)).resolves.toEqual({ matches: true, needsRehash: true });
      await expect(create().verify(`${password}x`, phc)).resolves.toEqual({
        matches: false,
        needsRehash: false,
      });
    },
  );
});

describe('verifying', () => {
  test.each([
    ['memory', { ...cheap, memoryKib: 128 }],
    ['passes', { ...cheap, passes: 2 }],
    ['parallelism', { ...cheap, parallelism: 2 }],
  ])('asks for a rehash if %s changed, only for a right password', async (_, params) => {
    const old = await create(params).hash('right password');
    await expect(create().verify('right password', old)).resolves.toEqual({
      matches: true,
      needsRehash: true,
    });
    await expect(create().verify('wrong', old)).resolves.toEqual({ matches: false, needsRehash: false });
    await expect(create(params).verify('right password', old)).resolves.toEqual({
      matches: true,
      needsRehash: false,
    });
  });

  test('verifies all of the password, as it was typed: nothing is cut off, trimmed or changed', async () => {
    const passwords = create();
    const typed = `  Pa\u0000ss\t${'x'.repeat(1000)}\u00a0y `;
    const phc = await passwords.hash(typed);
    await expect(passwords.verify(typed, phc)).resolves.toEqual({ matches: true, needsRehash: false });
    for (const other of [
      typed.slice(0, -1),
      typed.trim(),
      typed.toLowerCase(),
      typed.slice(0, 72),
      typed.slice(0, 5),
      typed.replace('y ', 'z '),
      typed.replace('\u0000', ''),
      typed.replace('\t', ' '),
      typed.replace('\u00a0', ' '),
      `${typed} `,
    ])
      await expect(passwords.verify(other, phc)).resolves.toEqual({ matches: false, needsRehash: false });
  });

  test('treats composed and decomposed characters as equal, but not superscripts', async () => {
    const passwords = create();
    const phc = await passwords.hash('caf\u00e9 2');
    await expect(passwords.verify('cafe\u0301 2', phc)).resolves.toMatchObject({ matches: true });
    await expect(passwords.verify('caf\u00e9 \u00b2', phc)).resolves.toMatchObject({ matches: false });
  });

  test.each([
    ['nothing', ''],
    ['another algorithm', '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW'],
    ['a truncated hash', '$argon2id$v=19$m=64,t=1,p=1$AAAA'],
    [
      'a hash that needs four terabytes',
      '$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHRzb21l$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    ],
  ])('matches nothing against %s', async (_, phc) => {
    for (const password of ['', 'password']) {
      await expect(create().verify(password, phc)).resolves.toEqual({ matches: false, needsRehash: false });
    }
  });

  test.each(['hash', 'verifyNothing'] as const)('%s refuses more than 1024 characters', async (method) => {
    await expect(create()[method]('x'.repeat(1025))).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ pointer: '/password' }],
    });
  });

  test('refuses more than 1024 characters as well', async () => {
    const phc = await create().hash('x');
    await expect(create().verify('x'.repeat(1025), phc)).rejects.toMatchObject({ code: 'validation_failed' });
  });
});

test('verifying without a hash costs as much as verifying a wrong password', async () => {
  const passwords = create(owaspParams);
  const phc = await passwords.hash('right password');
  const timed = async (work: () => Promise<unknown>) => {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  const wrong: number[] = [];
  const nothing: number[] = [];
  for (let round = 0; round < 25; round += 1) {
    wrong.push(await timed(() => passwords.verify('wrong password', phc)));
    nothing.push(await timed(() => passwords.verifyNothing('wrong password')));
  }
  // Processor time changes little by other work on the machine. The cheapest rounds show the cost of the work itself.
  const typical = (times: number[]) => times.sort((a, b) => a - b)[5] ?? Number.NaN;
  const ratio = typical(nothing) / typical(wrong);
  expect(ratio).toBeGreaterThan(0.75);
  expect(ratio).toBeLessThan(1.33);
});

test('passwords are refused while the pool is full, the others are hashed', async () => {
  const pool = createHashingPool({ concurrency: 1, queueLimit: 2, clock: createManualClock() });
  const passwords = createPasswords({ params: cheap, pool });
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => passwords.hash('password')));
  const refused = results.filter(({ status }) => status === 'rejected');
  expect(refused).toHaveLength(7);
  expect(refused[0]).toMatchObject({ reason: { code: 'overloaded', retryAfterSeconds: 2 } });
});

test('each call reports its cost to the pool as the parameters of the hash show it, for each form of the password', async () => {
  const costs: [lane: string, costMs: number | undefined][] = [];
  const record = (lane: string) => ({
    run: <T>(job: () => Promise<T>, costMs?: number) => {
      costs.push([lane, costMs]);
      return job();
    },
  });
  const params = { memoryKib: 1024, passes: 2, parallelism: 1 };
  const passwords = createPasswords({ params, pool: record('pool'), costlyLane: record('lane') });
  const own = await passwords.hash('a password');
  await passwords.verify('a guess', own);
  await passwords.verifyNothing('a guess');
  await passwords.verify('a guess', 'not a hash');
  await passwords.verifyNothing('cafe\u0301');
  const salt = 'c2FsdHNhbHRzYWx0';
  await passwords.verify('a guess', `$pbkdf2-sha256$i=100000$${salt}$${'A'.repeat(43)}`);
  await passwords.verify('cafe\u0301', `$pbkdf2-sha256$i=100000$${salt}$${'A'.repeat(43)}`);
  await passwords.verify('a guess', `$argon2id$v=19$m=4096,t=1,p=1$${salt}$${'A'.repeat(43)}`);
  await passwords.verify('a guess', `$pbkdf2-sha256$i=2000000$${salt}$${'A'.repeat(43)}`);
  expect(costs).toEqual([
    ...[2, 2, 2, 2, 4].map((costMs) => ['pool', costMs]),
    ...[50, 100, 4].map((costMs) => ['pool', costMs]),
    ['lane', 1000],
  ]);
});

import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import { createPasswords, storedHashProblem } from '../../provider/accounts/passwords.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { addJohn, cheap, createWorld, from, john } from './account-world.ts';
import { oddHashes, oddPassword } from './foreign-hashes.ts';

function create() {
  const pool = createHashingPool({ concurrency: 2, queueLimit: 100, clock: createManualClock() });
  return createPasswords({ params: cheap, pool });
}

const right = { matches: true, needsRehash: true };
const wrong = { matches: false, needsRehash: false };
const phc = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

/** From RFC 7914 §11 and §12, RFC 6070, and the test suites of other systems. */
const published: [source: string, password: string, stored: string][] = [
  [
    'RFC 7914 §12, third vector',
    'pleaseletmein',
    `$scrypt$ln=14,r=8,p=1$${phc(Buffer.from('SodiumChloride'))}$${phc(Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887', 'hex'))}`,
  ],
  [
    'RFC 7914 §12, second vector',
    'password',
    `$scrypt$ln=10,r=8,p=16$${phc(Buffer.from('NaCl'))}$${phc(Buffer.from('fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640', 'hex'))}`,
  ],
  [
    'RFC 7914 §11, first vector',
    'passwd',
    `$pbkdf2-sha256$i=1,l=64$${phc(Buffer.from('salt'))}$${phc(Buffer.from('55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783', 'hex'))}`,
  ],
  [
    'RFC 6070, third vector',
    'password',
    `$pbkdf2-sha1$i=4096$${phc(Buffer.from('salt'))}$${phc(Buffer.from('4b007901b765489abead49d926f721d065a429c1', 'hex'))}`,
  ],
  [
    "ASP.NET Core's tests, Identity V2",
    'my password',
    'AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==',
  ],
  [
    "ASP.NET Core's tests, Identity V3 with SHA-1",
    'my password',
    'AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M',
  ],
  [
    "ASP.NET Core's tests, Identity V3 with SHA-256",
    'my password',
    'AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=',
  ],
  [
    "ASP.NET Core's tests, Identity V3 with SHA-512",
    'my password',
    'AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==',
  ],
  [
    "Kratos' tests, scrypt",
    'test',
    '$scrypt$ln=16384,r=8,p=1$2npRo7P03Mt8keSoMbyD/tKFWyUzjiQf2svUaNDSrhA=$MiCzNcIplSMqSBrm4HckjYqYhaVPPjTARTzwB1cVNYE=',
  ],
  [
    'the reference implementation, with associated data',
    'x',
    '$argon2id$v=19$m=64,t=2,p=1,data=AAAA$c2FsdHNhbHRzYWx0c2FsdA$f3oUbTT1Y0yxjr+TsZRo76M2YJd5QmIQ3dmp1Yzcbmw',
  ],
  ['crypt_blowfish', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['crypt_blowfish, no password', '', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
];

describe('a hash of another system', () => {
  test.each(published)('is verified if it is a published example: %s', async (_, password, stored) => {
    expect(storedHashProblem(stored)).toBeUndefined();
    await expect(create().verify(password, stored)).resolves.toEqual(right);
    await expect(create().verify(`${password}.`, stored)).resolves.toEqual(wrong);
  });

  test.each(oddHashes)('is verified if another system made it: %s', async (_, stored) => {
    expect(storedHashProblem(stored)).toBeUndefined();
    await expect(create().verify(oddPassword, stored)).resolves.toEqual(right);
    await expect(create().verify(`${oddPassword}.`, stored)).resolves.toEqual(wrong);
    await expect(create().verify('', stored)).resolves.toEqual(wrong);
  });

  test.each(oddHashes)('matches nothing if one digit is changed: %s', async (_, stored) => {
    const last = stored.endsWith('=') ? -6 : -5;
    const changed = stored.slice(0, last) + (stored.at(last) === 'A' ? 'B' : 'A') + stored.slice(last + 1);
    await expect(create().verify(oddPassword, changed)).resolves.toEqual(wrong);
  });

  test.each(['sha1', 'sha256', 'sha512'] as const)(
    "of pbkdf2-%s equals the result of Node's own function, at every length up to the longest",
    async (digest) => {
      const salt = Buffer.from([0, 255, 1, 254]);
      for (const length of [16, 20, 33, 64, 128]) {
        const hash = pbkdf2Sync('a\0b', salt, 3, length, digest);
        const stored = `$pbkdf2-${digest}$i=3,l=${length}$${phc(salt)}$${phc(hash)}`;
        await expect(create().verify('a\0b', stored)).resolves.toEqual(right);
        await expect(create().verify('a', stored)).resolves.toEqual(wrong);
      }
    },
  );

  test.each([
    [1, 1, 1],
    [15, 1, 1],
    [8, 32, 4],
    [12, 3, 7],
  ])("of scrypt equals the result of Node's own function for ln=%d, r=%d, p=%d", async (ln, r, p) => {
    const hash = scryptSync('password', 'salt', 32, { N: 2 ** ln, r, p, maxmem: 2 ** 28 });
    const stored = `$scrypt$ln=${ln},r=${r},p=${p}$${phc(Buffer.from('salt'))}$${phc(hash)}`;
    await expect(create().verify('password', stored)).resolves.toEqual(right);
  });

  test('of bcrypt does not end at a NUL', async () => {
    const stored = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
    await expect(create().verify('U*U\0anything', stored)).resolves.toEqual(wrong);
  });
});

describe('composed and decomposed characters', () => {
  const decomposed = '$pbkdf2-sha256$1000$qjUmxPg/51xrjRGi1BojBA$D.P5/4FYgCSsGg9MDwGfnq.XjXTEtxbL142u4nCeH0s';
  const composed = '$pbkdf2-sha256$1000$fK8VovR.b63VWgtBiDEGoA$86TpoLl8S5Tgkc3HRBBiAw1B5jaMRZpV/jsoBUS32hg';

  test('are tried as typed first, then in NFC', async () => {
    await expect(create().verify('cafe\u0301', decomposed)).resolves.toEqual(right);
    await expect(create().verify('caf\u00e9', composed)).resolves.toEqual(right);
    await expect(create().verify('cafe\u0301', composed)).resolves.toEqual(right);
    await expect(create().verify('cafe', composed)).resolves.toEqual(wrong);
  });

  test('are tried for an imported Argon2 hash too, which is then renewed', async () => {
    // Made by the `argon2` package, version 0.45.1, from the decomposed form, under the parameters in use here.
    const stored =
      '$argon2id$v=19$m=64,p=1,t=1$4YYkLU0RyxuIQ5KLE7O3Gw$b6XUkGrsO/RJtSUGHdqEwyQsBX4l7GZQTU4qcsFTPt8';
    await expect(create().verify('cafe\u0301', stored)).resolves.toEqual(right);
    await expect(create().verify('caf\u00e9', stored)).resolves.toEqual(wrong);
  });
});

const salt = phc(Buffer.alloc(16));
const hash = phc(Buffer.alloc(32));

function identityV3(digest: number, iterations: number, saltBytes = 16): string {
  const head = Buffer.alloc(13, 1);
  [digest, iterations, saltBytes].forEach((value, index) => {
    head.writeUInt32BE(value, 1 + 4 * index);
  });
  return Buffer.concat([head, Buffer.alloc(48)]).toString('base64');
}

describe('a hash that is too expensive or malformed', () => {
  test.each([
    ['bcrypt of cost 16', '$2b$16$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G', /4.1 seconds/],
    ['bcrypt of cost 31', '$2b$31$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G', /too many seconds/],
    [
      "bcrypt of cost 16, as Django's bcrypt_sha256",
      'bcrypt_sha256$$2b$16$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G',
      /4.1 seconds/,
    ],
    ['bcrypt of cost 3', '$2b$03$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G', /4 and more/],
    ['billions of iterations', `$pbkdf2-sha256$i=4000000000$${salt}$${hash}`, /known format/],
    ['too many iterations', `$pbkdf2-sha256$i=5000001$${salt}$${hash}`, /2.6 seconds/],
    ['half of the limit, twice', `$pbkdf2-sha256$i=2500001$${salt}$${phc(Buffer.alloc(33))}`, /2.6 seconds/],
    ["too many iterations of Django's", `pbkdf2_sha256$5000001$salt$${hash}`, /2.6 seconds/],
    ['no iterations', `$pbkdf2-sha256$i=0$${salt}$${hash}`, /at least one/],
    ['scrypt in 512 MiB', `$scrypt$ln=19,r=8,p=1$${salt}$${hash}`, /512 MiB/],
    ['scrypt of ln=31', `$scrypt$ln=31,r=8,p=1$${salt}$${hash}`, /too many MiB/],
    ['scrypt with too many rounds', `$scrypt$ln=14,r=8,p=40$${salt}$${hash}`, /2.6 seconds/],
    ['scrypt with N=1000', `$scrypt$ln=1000,r=8,p=1$${salt}$${hash}`, /RFC 7914/],
    ['scrypt with ln=0', `$scrypt$ln=0,r=8,p=1$${salt}$${hash}`, /RFC 7914/],
    ['scrypt with N too large for r', `$scrypt$ln=16,r=1,p=1$${salt}$${hash}`, /RFC 7914/],
    ['scrypt with p=0', `$scrypt$ln=10,r=8,p=0$${salt}$${hash}`, /RFC 7914/],
    ['a hash of 8 bytes', `$scrypt$ln=10,r=8,p=1$${salt}$${phc(Buffer.alloc(8))}`, /16 to 128 bytes/],
    ['a hash of 129 bytes', `$pbkdf2-sha256$i=1$${salt}$${phc(Buffer.alloc(129))}`, /16 to 128 bytes/],
    ['a truncated hash', `$pbkdf2-sha256$i=1,l=64$${salt}$${hash}`, /l=64/],
    ['text that is not Base64', `$pbkdf2-sha256$i=1$${salt}$%%%%`, /Base64/],
    ['Argon2 in 4 TiB', `$argon2id$v=19$m=4294967295,t=2,p=1$${salt}$${hash}`, /too many MiB/],
    ['Argon2 for half a minute', `$argon2id$v=19$m=1048576,t=20,p=1$${salt}$${hash}`, /about 20.5 seconds/],
    ['Argon2 in 512 MiB', `$argon2id$v=19$m=524288,t=1,p=1$${salt}$${hash}`, /512 MiB/],
    ['too many passes of Argon2', `$argon2id$v=19$m=4096,t=626,p=1$${salt}$${hash}`, /2.6 seconds/],
    ['Argon2 with a key', `$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA$${salt}$${hash}`, /besides m, t, p/],
    ['Argon2 with two memories', `$argon2id$v=19$m=64,m=64,t=1,p=1$${salt}$${hash}`, /besides m, t, p/],
    ['an Argon2 hash of 8 bytes', `$argon2id$v=19$m=64,t=1,p=1$${salt}$${phc(Buffer.alloc(8))}`, /16 bytes/],
    [
      'Identity V2, longer',
      'AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJgAA',
      /known format/,
    ],
    ['Identity V3 with too many iterations', identityV3(2, 5_000_001), /2.6 seconds/],
    ['Identity V3 with an unknown digest', identityV3(3, 1000), /known format/],
    ['Identity V3 with a salt that is longer than the text', identityV3(2, 1000, 1000), /known format/],
    ['a number with a zero in front', `$scrypt$ln=10,r=08,p=1$${salt}$${hash}`, /known format/],
    ['a truncated Argon2 hash', '$argon2id$v=19$m=64,t=1,p=1$AAAA', /can't be read/],
    ['SHA-256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', /known format/],
    ['a password', 'correct-horse-battery', /known format/],
    ['nothing', '', /known format/],
  ])('is refused before any work: %s', async (_, stored, problem) => {
    expect(storedHashProblem(stored)).toMatch(problem);
    await expect(create().verify('password', stored)).resolves.toEqual(wrong);
  });

  test.each([
    ['bcrypt', '$2b$15$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G'],
    ['PBKDF2', `$pbkdf2-sha512$i=2500000$${salt}$${phc(Buffer.alloc(128))}`],
    ['scrypt', `$scrypt$ln=18,r=8,p=2$${salt}$${hash}`],
    ['Argon2', `$argon2id$v=19$m=262144,t=9,p=1$${salt}$${hash}`],
    ['Argon2 with many passes', `$argon2i$v=19$m=4096,t=256,p=1$${salt}$${hash}`],
    ['Argon2 with many lanes', `$argon2i$v=19$m=4096,t=3,p=255$${salt}$${hash}`],
  ])('is accepted up to the limit: %s', (_, stored) => {
    expect(storedHashProblem(stored)).toBeUndefined();
  });
});

describe('where a check is made', () => {
  const lanes = async (stored: string, params = cheap) => {
    const used: string[] = [];
    const lane = (name: string) => ({
      run: async <T>(_: () => Promise<T>) => {
        used.push(name);
        return undefined as T;
      },
    });
    const passwords = createPasswords({ params, pool: lane('pool'), costlyLane: lane('lane') });
    await passwords.verify('password', stored);
    return used;
  };

  test.each([
    ['bcrypt', '$2b$14$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G'],
    ['PBKDF2', `$pbkdf2-sha256$i=1600001$${salt}$${hash}`],
    ['scrypt', `$scrypt$ln=18,r=8,p=1$${salt}$${hash}`],
    ['Argon2', `$argon2i$v=19$m=4096,t=256,p=1$${salt}$${hash}`],
  ])('is the lane for costly hashes: %s', async (_, stored) => {
    expect(await lanes(stored)).toEqual(['lane']);
  });

  test.each([
    ['bcrypt', '$2b$13$ipETpAfkQYmiQqzn0W/xQuFWAiwdE.z2HW3SQG1hOqxTRzdHpYM9G'],
    ['PBKDF2', `$pbkdf2-sha256$i=1600000$${salt}$${hash}`],
    ['scrypt', `$scrypt$ln=17,r=8,p=1$${salt}$${hash}`],
    ['Argon2', `$argon2id$v=19$m=102400,t=8,p=1$${salt}$${hash}`],
    ['a hash that is refused', `$argon2id$v=19$m=1048576,t=20,p=1$${salt}$${hash}`],
  ])('is the pool for all others: %s', async (_, stored) => {
    expect(await lanes(stored)).toEqual(['pool']);
  });

  test('is the pool for a hash with our own parameters, whatever it costs', async () => {
    const costly = { memoryKib: 262_144, passes: 9, parallelism: 1 };
    expect(await lanes(`$argon2id$v=19$m=262144,t=9,p=1$${salt}$${hash}`, costly)).toEqual(['pool']);
    expect(await lanes(`$argon2id$v=19$m=262144,t=8,p=1$${salt}$${hash}`, costly)).toEqual(['lane']);
  });
});

describe('a hash that covers only a part of the password', () => {
  const uncertain = { matches: true, needsRehash: false, needsNewPassword: true };
  const ofX = '$2b$04$sIU6xYvohr39ekwC0UrBkO6vWjuiQOfy.7IiFbCIvL2EVKA1.BBdW';

  test('of bcrypt, which covers 72 bytes, asks for a new password and is not renewed', async () => {
    await expect(create().verify('x'.repeat(72), ofX)).resolves.toEqual(uncertain);
    await expect(create().verify('x'.repeat(100), ofX)).resolves.toEqual(uncertain);
    await expect(create().verify('x'.repeat(71), ofX)).resolves.toEqual(wrong);
  });

  test('of bcrypt, which repeats the password after a NUL, is not renewed either', async () => {
    const stored = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
    await expect(create().verify('U*U', stored)).resolves.toEqual(right);
    await expect(create().verify('U*U\0U*U', stored)).resolves.toEqual(uncertain);
  });

  test.each(['$pbkdf2-sha256$i=1$', '$scrypt$ln=1,r=8,p=1$'])(
    'of HMAC, which fills the password up with NULs, is not renewed either: %s',
    async (head) => {
      const key = head.startsWith('$scrypt')
        ? scryptSync('password', 'salt', 32, { N: 2, r: 8, p: 1 })
        : pbkdf2Sync('password', 'salt', 1, 32, 'sha256');
      const stored = `${head}${phc(Buffer.from('salt'))}$${phc(key)}`;
      await expect(create().verify('password', stored)).resolves.toEqual(right);
      await expect(create().verify('password\0', stored)).resolves.toEqual(uncertain);
    },
  );

  test('stays as it is at a sign-in, so that the right password works next time', async () => {
    const world = createWorld();
    const { id } = await addJohn(world);
    await world.store.update(id, { passwordHash: ofX }, world.clock.now());
    for (const tail of ['a wrong tail', 'x'.repeat(28)]) {
      const password = 'x'.repeat(72) + tail;
      await expect(world.signIn({ ...from, email: john.email, password })).resolves.toMatchObject({
        id,
        needsNewPassword: true,
      });
      expect((await world.store.findById(id))?.passwordHash).toBe(ofX);
    }
  });
});

describe('signing in with a hash of another system', () => {
  test.each(oddHashes)('replaces the hash by an Argon2id hash with our parameters: %s', async (_, stored) => {
    const world = createWorld();
    const { id } = await addJohn(world);
    await world.store.update(id, { passwordHash: stored }, world.clock.now());
    const input = { ...from, email: john.email, password: oddPassword };
    await expect(world.signIn({ ...input, password: 'wrong' })).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
    expect((await world.store.findById(id))?.passwordHash).toBe(stored);
    await world.signIn(input);
    const renewed = (await world.store.findById(id))?.passwordHash ?? '';
    expect(renewed).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    await world.signIn(input);
    expect((await world.store.findById(id))?.passwordHash).toBe(renewed);
  });
});

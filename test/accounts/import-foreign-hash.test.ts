import { createCipheriv, pbkdf2Sync, scryptSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { from } from './account-world.ts';
import { firebaseAccount, firebaseParameters } from './foreign-hashes.ts';
import { createImportWorld } from './import-world.ts';

const email = 'ann@example.com';

describe("Firebase's hashes", () => {
  const { password, salt, passwordHash } = firebaseAccount;
  const line = { email, firebase: { passwordHash, salt } };
  const firebase = firebaseParameters;

  test("of Firebase's own example are verified, and the signer key isn't stored", async () => {
    const world = createImportWorld();
    const { problems } = await world.import([line], { firebase });
    expect(problems).toEqual([]);
    const stored = (await world.store.findByEmail(email))?.passwordHash ?? '';
    expect(stored).toMatch(/^\$firebase-scrypt\$ln=14,r=8,p=1\$42xEC\+ixf3L2lwc\$[\w+/]{86}$/);
    expect(stored).not.toContain(firebase.signerKey.slice(0, 20));
    await expect(world.signIn({ ...from, email, password: 'user2password' })).rejects.toThrow(/wrong/);
    await world.signIn({ ...from, email, password });
    expect((await world.store.findByEmail(email))?.passwordHash).toMatch(/^\$argon2id\$/);
    await world.signIn({ ...from, email, password });
  });

  test('with other parameters are verified, also in the URL-safe alphabet', async () => {
    const signerKey = Buffer.from(Array.from({ length: 64 }, (_, index) => (index * 37) % 256));
    const [ownSalt, separator] = [Buffer.from([251, 255, 0]), Buffer.from([254])];
    const options = { N: 2 ** 9, r: 3, p: 1 };
    const key = scryptSync('пароль', Buffer.concat([ownSalt, separator]), 32, options);
    const hash = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(signerKey);
    const world = createImportWorld();
    await world.import(
      [
        {
          email,
          firebase: { passwordHash: hash.toString('base64url'), salt: ownSalt.toString('base64url') },
        },
      ],
      {
        firebase: {
          signerKey: signerKey.toString('base64url'),
          saltSeparator: separator.toString('base64'),
          rounds: 3,
          memCost: 9,
        },
      },
    );
    await world.signIn({ ...from, email, password: 'пароль' });
  });

  test('of another signer key are not verified', async () => {
    const world = createImportWorld();
    const signerKey = Buffer.alloc(64, 7).toString('base64');
    await world.import([line], { firebase: { ...firebase, signerKey } });
    await expect(world.signIn({ ...from, email, password })).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
  });

  test.each([
    ['no parameters', line, undefined, '/firebase', /parameters/],
    [
      'a truncated hash',
      { email, firebase: { passwordHash: 'AAAA', salt } },
      firebase,
      '/firebase',
      /3 bytes.*64/,
    ],
    [
      'text that is not Base64',
      { email, firebase: { passwordHash, salt: '%' } },
      firebase,
      '/firebase',
      /Base64/,
    ],
    ['no salt', { email, firebase: { passwordHash } }, firebase, '/firebase/salt', /Give the salt/],
    ['two hashes', { ...line, passwordHash: 'x' }, firebase, '/passwordHash', /one of/],
  ])('are refused with the line number: %s', async (_, bad, parameters, field, message) => {
    const { problems } = await createImportWorld().import([bad], { firebase: parameters });
    expect(problems).toEqual([{ line: 1, field, message: expect.stringMatching(message) }]);
  });

  test('with invalid parameters stop the import before it starts', async () => {
    const parameters = { signerKey: 'AAAA', saltSeparator: '%', rounds: 0, memCost: 15 };
    await expect(createImportWorld().import([line], { firebase: parameters })).rejects.toMatchObject({
      name: 'ConfigurationError',
      problems: [
        expect.stringContaining('base64_signer_key'),
        expect.stringContaining('base64_salt_separator'),
        expect.stringContaining('rounds'),
        expect.stringContaining('mem_cost'),
      ],
    });
  });
});

describe("Keycloak's hashes", () => {
  const salt = Buffer.from('0123456789abcdef');
  const credential = (algorithm: string, value: Buffer, additionalParameters = {}, hashIterations = 2) => ({
    credentialData: JSON.stringify({ hashIterations, algorithm, additionalParameters }),
    secretData: JSON.stringify({
      value: value.toString('base64'),
      salt: salt.toString('base64'),
      additionalParameters: {},
    }),
  });

  test.each([
    ['pbkdf2', 'sha1', 64],
    ['pbkdf2-sha256', 'sha256', 64],
    ['pbkdf2-sha256', 'sha256', 32],
    ['pbkdf2-sha512', 'sha512', 64],
    ['pbkdf2-sha512', 'sha512', 128],
  ])('of %s are verified (%s, %d bytes)', async (algorithm, digest, length) => {
    const world = createImportWorld();
    const value = pbkdf2Sync('pässwörd', salt, 2, length, digest);
    const { problems } = await world.import([{ email, keycloak: credential(algorithm, value) }]);
    expect(problems).toEqual([]);
    await expect(world.signIn({ ...from, email, password: 'passwort' })).rejects.toThrow(/wrong/);
    await world.signIn({ ...from, email, password: 'pässwörd' });
  });

  test('of argon2 are verified, written as text or as JSON, also with fields that we don’t use', async () => {
    // The reference implementation made this hash: $argon2id$v=19$m=1024,p=2,t=3$R48W2O93bXaqnwl0LW4taQ$…
    const parameters = {
      hashLength: ['32'],
      memory: ['1024'],
      type: ['id'],
      version: ['1.3'],
      parallelism: ['2'],
    };
    const keycloak = {
      id: 'a5f0',
      type: 'password',
      createdDate: 1_700_000_000_000,
      credentialData: { hashIterations: 3, algorithm: 'argon2', additionalParameters: parameters },
      secretData: {
        value: 'Ofd0caUR6b2pTAVKGl5ZNe3HvDHXMruqTKR6qZ0nCJU=',
        salt: 'R48W2O93bXaqnwl0LW4taQ==',
      },
    };
    const world = createImportWorld();
    const { problems } = await world.import([{ email, keycloak }]);
    expect(problems).toEqual([]);
    await world.signIn({ ...from, email, password: 'pass\0wörd 🔑' });
  });

  test.each([
    ['an unknown algorithm', credential('md5', salt), '/keycloak', /argon2 and bcrypt are known/],
    ['bcrypt that is none', { ...credential('bcrypt', salt) }, '/keycloak', /known format/],
    ['too many iterations', credential('pbkdf2', salt, {}, 5_000_001), '/keycloak', /2.6 seconds/],
    ['negative iterations', credential('pbkdf2', salt, {}, -1), '/keycloak', /known format/],
    ['argon2 without parameters', credential('argon2', salt), '/keycloak', /additionalParameters/],
    [
      'argon2 in an unknown version',
      credential('argon2', salt, { type: ['id'], version: ['9'], memory: ['64'], parallelism: ['1'] }),
      '/keycloak',
      /additionalParameters/,
    ],
    [
      'text that is not Base64',
      { credentialData: '{"algorithm":"pbkdf2","hashIterations":1}', secretData: '{"value":"%","salt":""}' },
      '/keycloak',
      /Base64/,
    ],
    [
      'text that is not JSON',
      { ...credential('pbkdf2', salt), secretData: 'x' },
      '/keycloak/secretData',
      /secretData, as/,
    ],
    ['nothing', {}, '/keycloak/credentialData', /credentialData, as/],
  ])('are refused with the line number: %s', async (_, keycloak, field, message) => {
    const { problems } = await createImportWorld().import([{ email, keycloak }]);
    expect(problems[0]).toEqual({ line: 1, field, message: expect.stringMatching(message) });
  });
});

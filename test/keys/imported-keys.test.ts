import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { importedSet, parseImportedKeys } from '../../provider/keys/imported-keys.ts';
import { publishedKeys, signingKey } from '../../provider/keys/key-schedule.ts';
import { serializeKeySet } from '../../provider/keys/key-set.ts';
import { firstKeySet } from '../../provider/keys/rotation.ts';

let one: Awaited<ReturnType<typeof generateKey>>;
let two: Awaited<ReturnType<typeof generateKey>>;
beforeAll(async () => {
  [one, two] = [await generateKey(), await generateKey()];
});

const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey;

describe('parseImportedKeys', () => {
  test('reads a key set of Gatehouse as it is', async () => {
    const set = firstKeySet(one, 1000);
    expect(await parseImportedKeys(serializeKeySet(set))).toEqual({ set });
  });

  test('reads a JWK and a JWK Set, keeps each kid, and leaves other members out', async () => {
    const jwk = { ...one.privateJwk, kid: 'from-elsewhere', alg: 'RS256', use: 'sig' };
    const expected = { kid: 'from-elsewhere', privateJwk: one.privateJwk };
    expect(await parseImportedKeys(JSON.stringify(jwk))).toEqual({ keys: [expected] });
    const jwks = { keys: [jwk, two.privateJwk] };
    expect(await parseImportedKeys(JSON.stringify(jwks))).toEqual({ keys: [expected, two] });
  });

  test('reads PEM, and gives the key its thumbprint as kid', async () => {
    const key = rsa(2048);
    const imported = await parseImportedKeys(key.export({ type: 'pkcs8', format: 'pem' }).toString());
    const fromJwk = await parseImportedKeys(JSON.stringify(key.export({ format: 'jwk' })));
    expect(imported).toEqual(fromJwk);
    expect(imported).toMatchObject({ keys: [{ kid: expect.stringMatching(/^[\w-]{43}$/) }] });
  });

  const secretOf = (text: string) => /"d":"([^"]+)"/.exec(text)?.[1] ?? 'no secret';
  test.each<[string, () => string, RegExp]>([
    ['text', () => 'hunter2', /neither JSON nor a key in PEM/],
    ['another document', () => '{"clients":[]}', /neither a key set of Gatehouse/],
    ['no key', () => '{"keys":[]}', /neither a key set of Gatehouse/],
    [
      'a public key',
      () => JSON.stringify({ kty: 'RSA', n: one.privateJwk.n, e: 'AQAB' }),
      /key 1 is not a private key/,
    ],
    ['a short key', () => JSON.stringify(rsa(1024).export({ format: 'jwk' })), /at least 2048 bits/],
    [
      'a key for an elliptic curve',
      () =>
        JSON.stringify(
          generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
        ),
      /not an RSA key/,
    ],
    [
      'another algorithm',
      () => JSON.stringify({ ...one.privateJwk, alg: 'PS256' }),
      /another algorithm than RS256/,
    ],
    [
      'an encrypted key',
      () =>
        rsa(2048)
          .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' })
          .toString(),
      /must be decrypted/,
    ],
  ])('refuses %s, and does not repeat it', async (_, text, message) => {
    const error = await parseImportedKeys(text()).catch((reason: Error) => reason);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('hunter2');
    expect(String(error)).not.toContain(secretOf(text()));
  });
});

describe('importedSet', () => {
  test('signs with the first key and publishes the others until their tokens have expired', () => {
    const set = importedSet([one, two], 1000);
    const kids = (now: number) =>
      publishedKeys(set, now, { tokenSeconds: 900, leadSeconds: 100 }).map(({ kid }) => kid);
    expect(signingKey(set, 1000).kid).toBe(one.kid);
    expect(kids(1000)).toEqual([one.kid, two.kid]);
    expect(kids(1000 + 1_000_000)).toEqual([one.kid]);
  });

  test('refuses two keys with the same kid', () => {
    expect(() => importedSet([one, one], 1000)).toThrow('two keys have the same kid');
  });
});

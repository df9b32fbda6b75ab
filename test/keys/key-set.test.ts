import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, importJWK, jwtVerify, SignJWT } from 'jose';
import { generateKey } from '../../provider/keys/generate-key.ts';
import { publicJwks } from '../../provider/keys/jwks.ts';
import {
  type PrivateJwk,
  parseKeySet,
  type SigningKey,
  serializeKeySet,
} from '../../provider/keys/key-set.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';

let key: SigningKey & { privateJwk: PrivateJwk };

beforeAll(async () => {
  key = { ...(await generateKey()), publishedAt: 1000, signsFrom: 2000 };
});

const problemsOf = (text: string): string => {
  try {
    parseKeySet(text);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
};

describe('generateKey', () => {
  test('creates an RSA key of 2048 bits with its thumbprint as id', async () => {
    const { kid, privateJwk } = key;
    expect(Buffer.from(privateJwk.n, 'base64url')).toHaveLength(256);
    expect(kid).toBe(await calculateJwkThumbprint({ kty: 'RSA', n: privateJwk.n, e: privateJwk.e }));
  });

  test('creates another key every time', async () => {
    expect((await generateKey()).kid).not.toBe(key.kid);
  });
});

describe('publicJwks', () => {
  test('contains the public keys and no private values', () => {
    const { n, e } = key.privateJwk;
    const { jwks } = publicJwks([key]);
    expect(jwks).toEqual({ keys: [{ kty: 'RSA', n, e, kid: key.kid, alg: 'RS256', use: 'sig' }] });
  });

  test('verifies a signature of the private key', async () => {
    const header = { alg: 'RS256', kid: key.kid };
    const token = await new SignJWT({})
      .setProtectedHeader(header)
      .sign(await importJWK(key.privateJwk, 'RS256'));
    const [jwk] = publicJwks([key]).jwks.keys;
    await expect(jwtVerify(token, { ...jwk })).resolves.toBeDefined();
  });

  test('has an ETag that changes only with the keys', async () => {
    const other = { ...(await generateKey()), publishedAt: 0, signsFrom: 0 };
    const { etag } = publicJwks([key]);
    expect(etag).toMatch(/^"[\w-]+"$/);
    expect(publicJwks([{ ...key, retiredAt: 5 }]).etag).toBe(etag);
    expect(publicJwks([key, other]).etag).not.toBe(etag);
  });
});

describe('parseKeySet', () => {
  test('returns the serialized set', () => {
    const set = {
      keys: [
        { ...key, retiredAt: 3000 },
        { ...key, kid: 'other' },
      ],
    };
    expect(parseKeySet(serializeKeySet(set))).toEqual(set);
  });

  const broken: [what: string, edit: (set: { keys: unknown[] }) => unknown, problem: RegExp][] = [
    ['no keys', () => ({ keys: [] }), /\/keys/],
    ['no key set', () => null, /The key set is not valid/],
    [
      'a key without a private part',
      () => ({ keys: [{ ...key, privateJwk: undefined }] }),
      /\/keys\/0 needs either/,
    ],
    [
      'a private part of a key in KMS',
      () => ({ keys: [{ ...key, kms: { arn: 'arn:aws:kms', n: 'AQAB', e: 'AQAB' } }] }),
      /\/keys\/0 needs either/,
    ],
    ['two keys with one id', () => ({ keys: [key, key] }), /same kid/],
    ['only retired keys', () => ({ keys: [{ ...key, retiredAt: 1 }] }), /every key is retired/],
    ['a missing time', () => ({ keys: [{ ...key, signsFrom: undefined }] }), /\/keys\/0\/signsFrom/],
    ['a time as text', () => ({ keys: [{ ...key, publishedAt: '2026' }] }), /\/keys\/0\/publishedAt/],
    [
      'a public key',
      () => ({ keys: [{ ...key, privateJwk: { kty: 'RSA', n: key.privateJwk.n, e: 'AQAB' } }] }),
      /\/keys\/0\/privateJwk\/d/,
    ],
    [
      'a number that is not base64url',
      () => ({ keys: [{ ...key, privateJwk: { ...key.privateJwk, d: `${key.privateJwk.d}+` } }] }),
      /\/keys\/0\/privateJwk\/d must be base64url/,
    ],
    [
      'a truncated key',
      () => ({ keys: [{ ...key, privateJwk: { ...key.privateJwk, n: 'AA', p: 'AA' } }] }),
      /\/keys\/0\/privateJwk is/,
    ],
    [
      'a key of 1024 bits',
      () => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
        return { keys: [{ ...key, privateJwk: privateKey.export({ format: 'jwk' }) }] };
      },
      /1024 bits/,
    ],
  ];

  test.each(broken)('refuses %s, names the place, and shows nothing of the key', (_, edit, problem) => {
    const text = JSON.stringify(edit({ keys: [key] }));
    expect(problemsOf(text)).toMatch(problem);
    for (const member of ['n', 'd', 'p', 'q'] as const) {
      expect(problemsOf(text)).not.toContain(key.privateJwk[member].slice(0, 8));
    }
  });

  test('shows nothing of a text that is not JSON', () => {
    expect(problemsOf(key.privateJwk.d)).toBe(
      'The key set is not valid: it is not JSON. Restore it from a backup.',
    );
  });
});

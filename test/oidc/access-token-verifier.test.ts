import '../../provider/oidc/runtime-notice.ts';
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { clientDocumentSchema } from '../../provider/clients/client-document.ts';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import {
  createAccessTokenVerifier,
  createKeptTokens,
} from '../../provider/oidc/tokens/access-token-verifier.ts';
import type { Account } from '../../provider/ports/account-store.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const issuer = 'https://login.example';
const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [signing, retired, foreign] = [newKey(), newKey(), newKey()];
const jwk = (key: KeyObject, kid: string): JWK => ({ ...key.export({ format: 'jwk' }), kid, alg: 'RS256' });

let clock: ManualClock;
let published: JWK[];
let account: Account | undefined;
let clients: string[];
let firstParty: boolean;
let revoked: string[];
beforeEach(() => {
  clock = createManualClock();
  published = [jwk(signing.publicKey, 'now'), jwk(retired.publicKey, 'before')];
  account = { ...john };
  revoked = [];
  clients = ['app', 'service'];
  firstParty = false;
});
const john: Account = {
  id: 'user_john',
  email: 'john@example.com',
  emailVerified: true,
  roles: [],
  metadata: {},
  state: 'active',
  tokenVersion: 3,
  createdAt: 0,
  updatedAt: 0,
};

const clientsNow = () => ({
  find: (id: string) =>
    clients.includes(id) ? clientDocumentSchema.parse({ id, name: id, firstParty }) : undefined,
});
const verifier = () =>
  createAccessTokenVerifier({
    issuer,
    clock,
    publicKeys: () => published,
    clients: { ...clientsNow(), mayBeThirdParty: () => false },
    denylist: {
      preload: async () => {},
      anyRevoked: async (keys) => keys.some((key) => revoked.includes(key.replace(/^\w+:|@\d+$/g, ''))),
    },
    reads: { notices: () => [], account: async (id) => (id === account?.id ? account : undefined) },
  });
const claims = (changes: object = {}) => ({
  iss: issuer,
  sub: 'user_john',
  aud: 'https://api.example',
  client_id: 'app',
  jti: 'j1',
  iat: clock.now() / 1000,
  exp: clock.now() / 1000 + 900,
  family: 'fam_1',
  sid: 's1',
  generation: 3,
  consent: 'c1',
  ...changes,
});
const sign = (changes: object = {}, header: object = {}, key: KeyObject = signing.privateKey) =>
  new SignJWT(claims(changes))
    .setProtectedHeader({ alg: 'RS256', kid: 'now', typ: 'at+jwt', ...header })
    .sign(key, { crit: { ours: true } });
const verify = async (token: string | Promise<string>) => verifier().verify(await token);

test('a valid token returns its claims, signed by the current key or a retired one', async () => {
  expect(await verify(sign())).toEqual(claims());
  expect(await verify(sign({}, { kid: 'before' }, retired.privateKey))).toEqual(claims());
});

test('the token of a machine needs no account', async () => {
  account = undefined;
  expect(await verify(sign({ sub: 'app', generation: undefined, consent: undefined }))).toMatchObject({
    sub: 'app',
  });
});

test('a token of a third-party client needs a consent, and one of a first-party client does not', async () => {
  const token = await sign({ consent: undefined });
  firstParty = true;
  expect(await verify(token)).toBeDefined();
  firstParty = false;
  expect(await verify(token)).toBeUndefined();
});

describe('no claims are returned for', () => {
  const hmac = () => {
    const body = [{ alg: 'HS256', kid: 'now', typ: 'at+jwt' }, claims()];
    const text = body.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const key = signing.publicKey.export({ type: 'spki', format: 'pem' });
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  };
  test.each<[string, () => string | Promise<string>]>([
    ['no token', () => ''],
    ['text that is not a JWT', () => 'nonsense'],
    ['a foreign key with the current kid', () => sign({}, {}, foreign.privateKey)],
    ['an unknown kid', () => sign({}, { kid: 'other' })],
    ['no kid', () => sign({}, { kid: undefined })],
    ['a kid of another key of the issuer', () => sign({}, { kid: 'before' })],
    ['another algorithm', () => sign({}, { alg: 'RS512' })],
    ['PSS', () => sign({}, { alg: 'PS256' })],
    ['the public key as a shared secret', hmac],
    ['no signature', () => new UnsecuredJWT(claims()).encode()],
    ['an id token', () => sign({}, { typ: 'JWT' })],
    ['no typ', () => sign({}, { typ: undefined })],
    ['an unknown critical header', () => sign({}, { crit: ['ours'], ours: 1 })],
    ['another issuer', () => sign({ iss: `${issuer}/` })],
    ['several audiences', () => sign({ aud: ['https://api.example', issuer] })],
    ['no audience', () => sign({ aud: undefined })],
    ['no subject', () => sign({ sub: undefined })],
    ['no id', () => sign({ jti: undefined })],
    ['no client', () => sign({ client_id: undefined })],
    ['no expiry', () => sign({ exp: undefined })],
    ['a token that is not valid yet', () => sign({ nbf: clock.now() / 1000 + 60 })],
    ['an older token version', () => sign({ generation: 2 })],
    ['a newer token version', () => sign({ generation: 4 })],
    ['no token version', () => sign({ generation: undefined })],
    ['an account that does not exist', () => sign({ sub: 'user_gone' })],
  ])('%s', async (_, token) => {
    expect(await verify(token())).toBeUndefined();
  });

  test('a token from its expiry on', async () => {
    const token = await sign();
    clock.advance(899_999);
    expect(await verify(token)).toBeDefined();
    clock.advance(1);
    expect(await verify(token)).toBeUndefined();
  });

  test.each(['j1', 'fam_1', 'c1', 's1', 'app'])('a token that was revoked by %s', async (mark) => {
    const token = await sign();
    revoked = ['another'];
    expect(await verify(token)).toBeDefined();
    revoked = [mark];
    expect(await verify(token)).toBeUndefined();
  });

  test('an account that is disabled', async () => {
    account = { ...john, state: 'disabled' };
    expect(await verify(sign())).toBeUndefined();
  });

  test('a token of a removed key, although the key was used before', async () => {
    const one = verifier();
    const token = await sign();
    expect(await one.verify(token)).toBeDefined();
    published = published.slice(1);
    expect(await one.verify(token)).toBeUndefined();
  });
});

test('a token is not reported as valid if the denylist cannot be read', async () => {
  const away = new StoreUnavailable('postgres', undefined);
  const one = createAccessTokenVerifier({
    issuer,
    clock,
    publicKeys: () => published,
    clients: { ...clientsNow(), mayBeThirdParty: () => false },
    denylist: { preload: () => Promise.reject(away), anyRevoked: () => Promise.reject(away) },
    reads: { notices: () => [], account: () => Promise.reject(away) },
  });
  await expect(one.verify(await sign())).rejects.toBe(away);
  await expect(one.verify('nonsense')).resolves.toBeUndefined();
});

describe('read checks a token without stores', () => {
  test('it returns a revoked token and a token of a disabled account', async () => {
    revoked = ['j1'];
    account = { ...john, state: 'disabled' };
    const read = await verifier().read(await sign());
    expect(read).toEqual(claims());
    expect(read && (await verifier().isActive(read))).toBe(false);
    revoked = [];
    expect(read && (await verifier().isActive(read))).toBe(false);
    account = john;
    expect(read && (await verifier().isActive(read))).toBe(true);
  });

  test('it refuses foreign tokens, expired tokens, and tokens without a consent', async () => {
    const token = await sign();
    expect(await verifier().read(await sign({}, {}, foreign.privateKey))).toBeUndefined();
    expect(await verifier().read(await sign({ consent: undefined }))).toBeUndefined();
    clock.advance(900_000);
    expect(await verifier().read(token)).toBeUndefined();
  });
});

test('a token of a removed client is invalid', async () => {
  const token = await sign();
  expect(await verifier().verify(token)).toBeDefined();
  clients = [];
  expect(await verifier().verify(token)).toBeUndefined();
});

describe('a verified token is verified once', () => {
  let lookedUp: number;
  /** Counts the look-ups of a key: a kept token needs none. */
  const counting = (key: JWK): JWK => {
    const { kid, ...rest } = key;
    return Object.defineProperty(rest, 'kid', {
      enumerable: true,
      get: () => {
        lookedUp += 1;
        return kid;
      },
    }) as JWK;
  };
  beforeEach(() => {
    published = published.map(counting);
    lookedUp = 0;
  });

  test('the second time no key is needed', async () => {
    const one = verifier();
    const token = await sign();
    expect(await one.verify(token)).toEqual(claims());
    const first = lookedUp;
    expect(first).toBeGreaterThan(0);
    expect(await one.verify(token)).toEqual(claims());
    expect(lookedUp).toBe(first);
  });

  test('a kept token is refused once it was revoked, its account disabled or its client removed', async () => {
    const one = verifier();
    const token = await sign();
    expect(await one.verify(token)).toBeDefined();
    revoked = ['j1'];
    expect(await one.verify(token)).toBeUndefined();
    revoked = [];
    account = { ...john, state: 'disabled' };
    expect(await one.verify(token)).toBeUndefined();
    account = john;
    clients = [];
    expect(await one.verify(token)).toBeUndefined();
    clients = ['app'];
    expect(await one.verify(token)).toBeDefined();
  });

  test('a kept token is refused from its expiry on', async () => {
    const one = verifier();
    const token = await sign();
    clock.advance(899_999);
    expect(await one.verify(token)).toBeDefined();
    expect(await one.verify(token)).toBeDefined();
    clock.advance(1);
    expect(await one.verify(token)).toBeUndefined();
  });

  test('a kept token is refused when its key is not published any more, and verified again when it comes back', async () => {
    const one = verifier();
    const token = await sign();
    const all = published;
    expect(await one.verify(token)).toBeDefined();
    published = published.slice(1);
    expect(await one.verify(token)).toBeUndefined();
    published = [jwk(foreign.publicKey, 'now'), ...all.slice(1)];
    expect(await one.verify(token)).toBeUndefined();
    published = all;
    const before = lookedUp;
    expect(await one.verify(token)).toBeDefined();
    expect(lookedUp).toBeGreaterThan(before);
  });

  test('a token that differs in one byte of the signature is verified itself, and refused', async () => {
    const one = verifier();
    const token = await sign();
    expect(await one.verify(token)).toBeDefined();
    const dot = token.lastIndexOf('.');
    for (const place of [dot + 1, dot + 100, token.length - 2]) {
      const other = token[place] === 'A' ? 'B' : 'A';
      expect(await one.verify(token.slice(0, place) + other + token.slice(place + 1))).toBeUndefined();
    }
    expect(await one.verify(token)).toBeDefined();
  });

  test('a caller cannot change the claims that the next caller gets', async () => {
    const one = verifier();
    const token = await sign({ roles: ['CLIENT'] });
    const first = await one.verify(token);
    expect(() => first?.roles?.push('ADMIN')).toThrow(TypeError);
    expect((await one.verify(token))?.roles).toEqual(['CLIENT']);
  });

  test('many different tokens never take more than the bound', () => {
    const kept = createKeptTokens(1000);
    const token = (index: number) => String(index).padStart(100, 'x');
    for (let index = 0; index < 1000; index += 1) {
      kept.keep(token(index), { ...claims(), exp: 2 }, 1);
      expect(kept.characters()).toBeLessThanOrEqual(1000);
    }
    expect(kept.characters()).toBe(1000);
    expect([989, 990, 999].map((index) => kept.find(token(index), 1) !== undefined)).toEqual([
      false,
      true,
      true,
    ]);
    kept.keep('y'.repeat(1001), { ...claims(), exp: 2 }, 1);
    expect(kept.characters()).toBeLessThanOrEqual(1000);
    kept.clear();
    expect(kept.characters()).toBe(0);
  });

  test('a clock that was set back verifies again', () => {
    const kept = createKeptTokens(1000);
    kept.keep('token', { ...claims(), exp: 20 }, 10_000);
    expect(kept.find('token', 9_000)).toBeUndefined();
  });
});

import '../../provider/oidc/runtime-notice.ts';
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { clientDocumentSchema } from '../../provider/clients/client-document.ts';
import { StoreUnavailable } from '../../provider/lib/errors.ts';
import { createAccessTokenVerifier } from '../../provider/oidc/tokens/access-token-verifier.ts';
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

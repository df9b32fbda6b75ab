import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createVerifier, type VerifierOptions } from '../../packages/verify/src/index.ts';
import { waitFor } from '../support/wait-for.ts';
import { type OwnIssuer, startOwnIssuer } from './own-issuer.ts';

const discovery = '/.well-known/openid-configuration';

let issuer: OwnIssuer;
beforeEach(async () => {
  issuer = await startOwnIssuer();
});
afterEach(() => issuer.close());

const verifierFor = (more: Partial<VerifierOptions> = {}) =>
  createVerifier({ issuer: issuer.url, audience: issuer.audience, ...more });
const requestsTo = (path: string) => issuer.requests.filter((seen) => seen === path).length;
const unavailable = {
  code: 'keys_unavailable',
  status: 503,
  headers: { 'Cache-Control': 'no-store', 'Retry-After': '2' },
};

test('any number of callers share one request for discovery and one for the keys', async () => {
  const verifier = verifierFor();
  const token = await issuer.token();
  await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)));
  await verifier.verify(token);
  expect(issuer.requests).toEqual([discovery, '/jwks']);
});

test('with jwksUri there is no discovery', async () => {
  await verifierFor({ jwksUri: `${issuer.url}/jwks` }).verify(await issuer.token());
  expect(issuer.requests).toEqual(['/jwks']);
});

test('a new key is found as soon as a token is signed with it', async () => {
  const verifier = verifierFor({ keyCache: { cooldownSeconds: 0 } });
  await verifier.verify(await issuer.token());
  await issuer.rotate();
  await verifier.verify(await issuer.token());
  expect(requestsTo('/jwks')).toBe(2);
});

test('tokens with unknown keys cause no requests while the keys are young', async () => {
  const verifier = verifierFor();
  await verifier.verify(await issuer.token());
  for (let count = 0; count < 20; count += 1) {
    const token = await issuer.token({}, { kid: `unknown-${count}` });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'invalid_token' });
  }
  expect(requestsTo('/jwks')).toBe(1);
});

test('old keys are read again in the background, and stay in use while the issuer is away', async () => {
  const verifier = verifierFor({ keyCache: { refreshAfterSeconds: 0 } });
  const token = await issuer.token();
  await verifier.verify(token);
  issuer.answers.set('/jwks', () => ({ status: 500 }));
  await waitFor(async () => {
    await verifier.verify(token);
    return requestsTo('/jwks') >= 2;
  });
  for (let count = 0; count < 20; count += 1) await verifier.verify(token);
  // After a failure there is a pause before the next request.
  expect(requestsTo('/jwks')).toBe(2);
});

test('keys that are too old are not used, and the answer is 503', async () => {
  const verifier = verifierFor({ keyCache: { maxAgeSeconds: 0 } });
  const token = await issuer.token();
  await verifier.verify(token);
  issuer.answers.set('/jwks', () => ({ status: 500 }));
  await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
});

describe('a verifier that never had the keys answers 503', () => {
  test.each<[name: string, path: string, answer: () => Parameters<OwnIssuer['answers']['set']>[1]]>([
    ['discovery fails', discovery, () => () => ({ status: 503 })],
    ['discovery is closed', discovery, () => () => undefined],
    [
      'discovery is for another issuer',
      discovery,
      () => () => ({
        status: 200,
        body: { issuer: 'https://other.example.com', jwks_uri: `${issuer.url}/jwks` },
      }),
    ],
    ['discovery is no JSON', discovery, () => () => ({ status: 200, body: '<html>' })],
    [
      'discovery names keys without TLS',
      discovery,
      () => () => ({ status: 200, body: { issuer: issuer.url, jwks_uri: 'http://id.example.com/jwks' } }),
    ],
    ['the keys are not there', '/jwks', () => () => ({ status: 404 })],
    [
      'the keys are elsewhere',
      '/jwks',
      () => () => ({ status: 302, headers: { location: `${issuer.url}/other` } }),
    ],
    ['the keys are no key set', '/jwks', () => () => ({ status: 200, body: { keys: 'none' } })],
    [
      'the keys are too large',
      '/jwks',
      () => () => ({ status: 200, body: { keys: [], more: 'x'.repeat(200_000) } }),
    ],
  ])('%s', async (_name, path, answer) => {
    issuer.answers.set(path, answer());
    const verifier = verifierFor();
    const token = await issuer.token();
    const errors = await Promise.all(
      Array.from({ length: 20 }, () => verifier.verify(token).catch((error) => error)),
    );
    for (const error of errors) expect(error).toMatchObject(unavailable);
    expect(requestsTo(path)).toBeLessThanOrEqual(2);
    expect(requestsTo('/other')).toBe(0);
  });

  test('as soon as they are there, it works', async () => {
    issuer.answers.set(discovery, () => ({ status: 503 }));
    const verifier = verifierFor();
    const token = await issuer.token();
    await expect(verifier.verify(token)).rejects.toMatchObject(unavailable);
    issuer.answers.clear();
    await waitFor(() => verifier.verify(token));
  });

  test('an issuer that never answers is given up after the timeout', async () => {
    issuer.answers.set('/jwks', () => ({ status: 200, body: { keys: [] } }));
    const silent: typeof fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const verifier = verifierFor({ fetch: silent, timeoutSeconds: 0.05 });
    await expect(verifier.verify(await issuer.token())).rejects.toMatchObject(unavailable);
  });
});

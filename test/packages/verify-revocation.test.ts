import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createVerifier, type RevocationOptions } from '../../packages/verify/src/index.ts';
import { type OwnIssuer, startOwnIssuer } from './own-issuer.ts';

const path = '/auth/verify';
const checked = { 'x-auth-subject': 'user_1', 'x-auth-revocation': 'checked' };

let issuer: OwnIssuer;
beforeAll(async () => {
  issuer = await startOwnIssuer();
});
beforeEach(() => issuer.answers.clear());
afterAll(() => issuer?.close());

const verify = async (revocation: RevocationOptions | boolean = true, claims = {}) => {
  const verifier = createVerifier({ issuer: issuer.url, audience: issuer.audience, revocation });
  return verifier.verify(await issuer.token(claims));
};
const outcomeOf = (promise: ReturnType<typeof verify>) =>
  promise.then(
    ({ revocation }) => revocation,
    ({ code, status }) => `${status} ${code}`,
  );

describe('the look at /auth/verify', () => {
  test.each<[name: string, headers: Record<string, string>, outcome: string]>([
    ['checked', checked, 'checked'],
    ['unchecked', { ...checked, 'x-auth-revocation': 'unchecked' }, 'unchecked'],
    ['nothing about the account, as a proxy would', {}, '503 revocation_unavailable'],
    ['another account', { ...checked, 'x-auth-subject': 'user_2' }, '503 revocation_unavailable'],
    ['a broken header', { ...checked, 'x-auth-subject': '%' }, '503 revocation_unavailable'],
  ])('a 200 that says %s', async (_name, headers, outcome) => {
    issuer.answers.set(path, () => ({ status: 200, headers }));
    expect(await outcomeOf(verify())).toBe(outcome);
  });

  test('compares the account as it was before percent-encoding', async () => {
    issuer.answers.set(path, () => ({
      status: 200,
      headers: { ...checked, 'x-auth-subject': 'j%C3%BCrgen%25' },
    }));
    expect(await outcomeOf(verify(true, { sub: 'jürgen%' }))).toBe('checked');
  });

  test('a revoked token is refused with 401, also where an outage would be accepted', async () => {
    issuer.answers.set(path, () => ({ status: 401 }));
    for (const whenUnavailable of ['refuse', 'accept'] as const)
      expect(await outcomeOf(verify({ whenUnavailable }))).toBe('401 invalid_token');
  });

  test.each([
    ['503', () => ({ status: 503 })],
    ['429', () => ({ status: 429 })],
    ['no answer', () => undefined],
  ])('%s refuses with 503, unless the service accepts outages', async (_name, answer) => {
    issuer.answers.set(path, answer);
    expect(await outcomeOf(verify())).toBe('503 revocation_unavailable');
    expect(await outcomeOf(verify({ whenUnavailable: 'accept' }))).toBe('unchecked');
  });

  test.each([400, 302, 404])('%d comes from wrong settings and always refuses', async (status) => {
    issuer.answers.set(path, () => ({ status }));
    expect(await outcomeOf(verify({ whenUnavailable: 'accept' }))).toBe('503 revocation_unavailable');
  });

  test('an answer that takes too long refuses with 503', async () => {
    const real = globalThis.fetch;
    const slow: typeof fetch = (url, init) =>
      String(url).includes(path)
        ? new Promise((_resolve, reject) => {
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
          })
        : real(url, init);
    const verifier = createVerifier({
      issuer: issuer.url,
      audience: issuer.audience,
      revocation: { timeoutSeconds: 0.05 },
      fetch: slow,
    });
    expect(await outcomeOf(verifier.verify(await issuer.token()))).toBe('503 revocation_unavailable');
  });

  test('is not asked about a token that is refused anyway, and not without the option', async () => {
    issuer.requests.length = 0;
    expect(await outcomeOf(verify(true, { aud: 'other' }))).toBe('401 invalid_token');
    expect(await outcomeOf(verify(false))).toBe('not_requested');
    expect(issuer.requests).not.toContain(path);
  });
});

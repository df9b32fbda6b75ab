import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { Consent, ConsentStore } from '../../provider/ports/consent-store.ts';

export interface ConsentStoreFixture {
  store: ConsentStore;
  /** A second store over the same data, through a connection of its own. */
  another?(): ConsentStore | Promise<ConsentStore>;
  close(): Promise<void>;
}

const at = Date.UTC(2026, 0, 1);
const api = 'https://api.example.com/';

/** Scopes are sets: their order says nothing. */
function sorted(consent: Consent | undefined): Consent | undefined {
  if (consent === undefined) return undefined;
  const byAudience = Object.entries(consent.resourceScopes).map(([audience, scopes]) => [
    audience,
    [...scopes].sort(),
  ]);
  return {
    ...consent,
    oidcScopes: [...consent.oidcScopes].sort(),
    resourceScopes: Object.fromEntries(byAudience),
  };
}

/** Checks every sentence of `provider/ports/consent-store.ts` on the store that `open` gives. */
export function consentStoreContract(name: string, open: () => Promise<ConsentStoreFixture>): void {
  describe(`${name} keeps the contract of ConsentStore`, () => {
    let store: ConsentStore;
    let other: ConsentStore;
    let close: () => Promise<void>;

    beforeAll(async () => {
      const fixture = await open();
      store = fixture.store;
      close = () => fixture.close();
      other = (await fixture.another?.()) ?? store;
    });
    afterAll(() => close());

    const sample = (changes: Partial<Consent> = {}): Consent => ({
      accountId: newId('user'),
      clientId: 'demo-web',
      oidcScopes: ['email', 'openid'],
      resourceScopes: { [api]: ['contracts:read'] },
      ...changes,
    });

    test('add and find give back what was agreed', async () => {
      const consent = sample();
      expect(sorted(await store.add(consent, at))).toEqual(consent);
      expect(sorted(await other.find(consent.accountId, consent.clientId))).toEqual(consent);
    });

    test('a consent to nothing is a consent', async () => {
      const consent = sample({ oidcScopes: [], resourceScopes: {} });
      expect(await store.add(consent, at)).toEqual(consent);
      expect(await store.find(consent.accountId, consent.clientId)).toEqual(consent);
    });

    test('each account and client has its own', async () => {
      const consent = await store.add(sample(), at);
      expect(await store.find(consent.accountId, 'other')).toBeUndefined();
      expect(await store.find(newId('user'), consent.clientId)).toBeUndefined();
    });

    test('add gives and keeps the union', async () => {
      const { accountId } = await store.add(sample(), at);
      const more = sample({
        accountId,
        oidcScopes: ['openid', 'profile'],
        resourceScopes: { [api]: ['contracts:read', 'contracts:write'], 'urn:other': ['x'] },
      });
      const union = {
        ...more,
        oidcScopes: ['email', 'openid', 'profile'],
        resourceScopes: { [api]: ['contracts:read', 'contracts:write'], 'urn:other': ['x'] },
      };
      expect(sorted(await other.add(more, at + 1))).toEqual(union);
      expect(sorted(await store.find(accountId, 'demo-web'))).toEqual(union);
      expect(sorted(await store.add(sample({ accountId, oidcScopes: [], resourceScopes: {} }), at))).toEqual(
        union,
      );
    });

    test('of 30 tabs that agree at once each leaves its scopes', async () => {
      const accountId = newId('user');
      const numbers = Array.from({ length: 30 }, (_, index) => index);
      await Promise.all(
        numbers.map((index) =>
          (index % 2 === 0 ? store : other).add(
            sample({
              accountId,
              oidcScopes: [`s${index}`],
              resourceScopes: { [api]: [`r${index}`], [`urn:${index}`]: ['x'] },
            }),
            at,
          ),
        ),
      );
      const agreed = await store.find(accountId, 'demo-web');
      expect(new Set(agreed?.oidcScopes)).toEqual(new Set(numbers.map((index) => `s${index}`)));
      expect(new Set(agreed?.resourceScopes[api])).toEqual(new Set(numbers.map((index) => `r${index}`)));
      expect(Object.keys(agreed?.resourceScopes ?? {})).toHaveLength(31);
    });

    test('withdraw leaves nothing, and nothing comes back with the next consent', async () => {
      const { accountId } = await store.add(sample(), at);
      const kept = await store.add(sample({ accountId, clientId: 'other' }), at);
      await store.withdraw(accountId, 'demo-web');
      await store.withdraw(accountId, 'demo-web');
      expect(await other.find(accountId, 'demo-web')).toBeUndefined();
      expect(sorted(await store.find(accountId, 'other'))).toEqual(sorted(kept));
      const again = sample({ accountId, oidcScopes: ['openid'], resourceScopes: {} });
      expect(await store.add(again, at)).toEqual(again);
    });

    test.each(['a\0b', '%', "' or '1'='1", '__proto__'])(
      'answers look-ups of %j without an error',
      async (text) => {
        const consent = await store.add(sample(), at);
        expect(await store.find(text, consent.clientId)).toBeUndefined();
        expect(await store.find(consent.accountId, text)).toBeUndefined();
        await store.withdraw(text, text);
      },
    );

    test('takes any scope and audience', async () => {
      const odd = sample({
        oidcScopes: ['"', '\\', 'NULL', '{,}', 'ü'],
        resourceScopes: { '"{?}:a\\': ['"', ','] },
      });
      expect(sorted(await store.add(odd, at))).toEqual(sorted(odd));
      expect(sorted(await store.add(odd, at))).toEqual(sorted(odd));
    });
  });
}

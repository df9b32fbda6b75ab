import { describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { Agreement, ConsentStore } from '../../provider/ports/consent-store.ts';
import { useStores } from './fixture.ts';

export interface ConsentStoreFixture {
  store: ConsentStore;
  /** A second store over the same data, with its own connection. */
  another?(): ConsentStore | Promise<ConsentStore>;
  close(): Promise<void>;
}

const at = Date.UTC(2026, 0, 1);
const api = 'https://api.example.com/';

/** Scopes are sets: their order has no meaning. */
function sorted<Scopes extends Agreement>(consent: Scopes | undefined): Scopes | undefined {
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

const agree = async (store: ConsentStore, agreement: Agreement, at: number) =>
  (await store.add(agreement, at)).consent;

/** Checks every sentence of `provider/ports/consent-store.ts` on the store that `open` gives. */
export function consentStoreContract(name: string, open: () => Promise<ConsentStoreFixture>): void {
  describe(`${name} keeps the contract of ConsentStore`, () => {
    let store: ConsentStore;
    let other: ConsentStore;

    useStores(open, (fixture, second) => {
      store = fixture.store;
      other = second;
    });

    const sample = (changes: Partial<Agreement> = {}): Agreement => ({
      accountId: newId('user'),
      clientId: 'demo-web',
      oidcScopes: ['email', 'openid'],
      resourceScopes: { [api]: ['contracts:read'] },
      ...changes,
    });

    /** Returns the agreement as a consent that was given at `at`. */
    const given = (agreement: Agreement) => ({ ...agreement, id: expect.any(String), since: at });

    test('add and find return the consent and its time', async () => {
      const agreement = sample();
      const added = sorted(await agree(store, agreement, at));
      expect(added).toEqual(given(agreement));
      expect(added?.id).not.toBe('');
      expect(sorted(await other.find(agreement.accountId, agreement.clientId))).toEqual(added);
    });

    test('a consent without scopes is stored', async () => {
      const agreement = sample({ oidcScopes: [], resourceScopes: {} });
      const added = await agree(store, agreement, at);
      expect(added).toEqual(given(agreement));
      expect(await store.find(agreement.accountId, agreement.clientId)).toEqual(added);
    });

    test('each pair of account and client has its own consent', async () => {
      const consent = await agree(store, sample(), at);
      expect(await store.find(consent.accountId, 'other')).toBeUndefined();
      expect(await store.find(newId('user'), consent.clientId)).toBeUndefined();
    });

    test('add stores and returns the union of old and new scopes', async () => {
      const { accountId, id } = await agree(store, sample(), at);
      const more = sample({
        accountId,
        oidcScopes: ['openid', 'profile'],
        resourceScopes: { [api]: ['contracts:read', 'contracts:write'], 'urn:other': ['x'] },
      });
      const union = {
        ...given(more),
        id,
        oidcScopes: ['email', 'openid', 'profile'],
        resourceScopes: { [api]: ['contracts:read', 'contracts:write'], 'urn:other': ['x'] },
      };
      expect(sorted(await agree(other, more, at + 1))).toEqual(union);
      expect(sorted(await store.find(accountId, 'demo-web'))).toEqual(union);
      expect(
        sorted(await agree(store, sample({ accountId, oidcScopes: [], resourceScopes: {} }), at)),
      ).toEqual(union);
    });

    test('30 parallel calls of add keep all scopes, and one of them creates the consent', async () => {
      const accountId = newId('user');
      const numbers = Array.from({ length: 30 }, (_, index) => index);
      const added = await Promise.all(
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
      expect(added.filter(({ isNew }) => isNew)).toHaveLength(1);
      const agreed = await store.find(accountId, 'demo-web');
      expect(new Set(agreed?.oidcScopes)).toEqual(new Set(numbers.map((index) => `s${index}`)));
      expect(new Set(agreed?.resourceScopes[api])).toEqual(new Set(numbers.map((index) => `r${index}`)));
      expect(Object.keys(agreed?.resourceScopes ?? {})).toHaveLength(31);
    });

    test('list returns all consents of an account, the oldest first, and none of other accounts', async () => {
      const accountId = newId('user');
      expect(await store.list(accountId)).toEqual([]);
      const later = await agree(store, sample({ accountId, clientId: 'a' }), at + 1);
      const first = await agree(store, sample({ accountId, clientId: 'b' }), at);
      await agree(store, sample({ clientId: 'c' }), at);
      await agree(store, sample({ accountId, clientId: 'a', oidcScopes: ['profile'] }), at + 2);
      const listed = await other.list(accountId);
      expect(listed.map(({ id, since }) => [id, since])).toEqual([
        [first.id, at],
        [later.id, at + 1],
      ]);
      expect(new Set(listed[1]?.oidcScopes)).toEqual(new Set(['email', 'openid', 'profile']));
    });

    test('withdraw deletes the consent, and a later consent does not contain its scopes', async () => {
      const withdrawn = await agree(store, sample(), at);
      const { accountId } = withdrawn;
      const kept = await agree(store, sample({ accountId, clientId: 'other' }), at);
      expect(await store.withdraw(withdrawn)).toBe(true);
      expect(await other.withdraw(withdrawn)).toBe(false);
      expect(await other.find(accountId, 'demo-web')).toBeUndefined();
      expect(sorted(await store.find(accountId, 'other'))).toEqual(sorted(kept));
      expect(await store.list(accountId)).toHaveLength(1);
      const again = sample({ accountId, oidcScopes: ['openid'], resourceScopes: {} });
      const next = await agree(store, again, at + 1);
      expect(next).toEqual({ ...given(again), since: at + 1 });
      expect(next.id).not.toBe(withdrawn.id);
    });

    test('withdraw with an old id does not delete a newer consent, even from the same millisecond', async () => {
      const withdrawn = await agree(store, sample(), at);
      const { accountId, clientId } = withdrawn;
      await store.withdraw(withdrawn);
      const next = await agree(store, sample({ accountId }), at);
      expect(next.id).not.toBe(withdrawn.id);
      expect(await other.withdraw(withdrawn)).toBe(false);
      expect(await store.withdraw({ accountId, clientId: 'other', id: next.id })).toBe(false);
      expect(sorted(await store.find(accountId, clientId))).toEqual(sorted(next));
    });

    test('withdrawAll deletes the consents of all accounts for these clients, and no others', async () => {
      const [one, two, three] = [newId('client'), newId('client'), newId('client')];
      const agreed = [];
      for (const clientId of [one, one, two, three])
        agreed.push(await agree(store, sample({ clientId }), at));
      expect(await other.withdrawAll([one, two, newId('client'), 'a\0b'])).toBe(3);
      expect(await store.withdrawAll([one])).toBe(0);
      const left = await Promise.all(agreed.map((consent) => store.list(consent.accountId)));
      expect(left.map(({ length }) => length)).toEqual([0, 0, 0, 1]);
    });

    test('exactly one of 20 parallel calls of withdraw succeeds', async () => {
      const consent = await agree(store, sample(), at);
      const done = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? store : other).withdraw(consent)),
      );
      expect(done.filter(Boolean)).toHaveLength(1);
    });

    test.each(['a\0b', '%', "' or '1'='1", '__proto__'])(
      'answers look-ups of %j without an error',
      async (text) => {
        const consent = await agree(store, sample(), at);
        expect(await store.find(text, consent.clientId)).toBeUndefined();
        expect(await store.find(consent.accountId, text)).toBeUndefined();
        expect(await store.list(text)).toEqual([]);
        expect(await store.withdraw({ ...consent, clientId: text })).toBe(false);
        expect(await store.withdraw({ ...consent, id: text })).toBe(false);
      },
    );

    test('accepts any scope and audience', async () => {
      const odd = sample({
        oidcScopes: ['"', '\\', 'NULL', '{,}', 'ü'],
        resourceScopes: { '"{?}:a\\': ['"', ','] },
      });
      const added = await agree(store, odd, at);
      expect(sorted(added)).toEqual(sorted(given(odd)));
      expect(sorted(await agree(store, odd, at))).toEqual(sorted(added));
    });
  });
}

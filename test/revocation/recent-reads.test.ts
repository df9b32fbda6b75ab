import { beforeEach, describe, expect, test } from '@jest/globals';
import { runInRequestScope } from '../../provider/lib/request-scope.ts';
import type { AccountChange } from '../../provider/ports/account-store.ts';
import {
  type RevocationKey,
  type RevocationSubjects,
  revocationKeys,
} from '../../provider/ports/revocation-keys.ts';
import { noticeChanges, recentSeconds } from '../../provider/revocation/change-notices.ts';
import { createRecentReads } from '../../provider/revocation/recent-reads.ts';
import { createRequestDenylist } from '../../provider/revocation/request-denylist.ts';
import { sampleAccount } from '../contract/account-store.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryAccountStore } from '../support/memory/account-store.ts';
import { MemoryConsentStore } from '../support/memory/consent-store.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

/** Two processes over one database: `here` caches its reads, the other process changes the data. */
function createWorld({ most = 100 } = {}) {
  const clock = createManualClock();
  const database = new MemoryDatabase();
  const stores = {
    accounts: new MemoryAccountStore({ database }),
    consents: new MemoryConsentStore({ database }),
    denylist: new MemoryRevocationStore({ database, clock }),
  };
  const asked: string[] = [];
  const noting = <T extends object>(name: string, store: T) =>
    new Proxy(store, {
      get: (target, method) => {
        const value: unknown = Reflect.get(target, method, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          asked.push(name);
          return Reflect.apply(value, target, given);
        };
      },
    });
  const watched = {
    accounts: noting('accounts', stores.accounts),
    consents: noting('consents', stores.consents),
    denylist: noting('denylist', stores.denylist),
  };
  const cached: RevocationKey[] = [];
  const unitOfWork = noticeChanges(new MemoryUnitOfWork({ database, clock }), {
    clock,
    denylist: { cacheEntries: async (keys) => void cached.push(...keys) },
  });
  const here = createRecentReads({ ...watched, clock, most });
  const requestDenylist = createRequestDenylist({
    revoke: (keys, expiresAt) => stores.denylist.revoke(keys, expiresAt),
    anyRevoked: (keys) => watched.denylist.anyRevoked(keys),
    cacheEntries: async () => {},
  });
  const inRequest = createRecentReads({ ...watched, denylist: requestDenylist, clock, most });
  /** Finds the account as the check of an access token does, in a separate request. */
  const accountOf = (token: RevocationSubjects, id: string) =>
    runInRequestScope({ requestId: 'r', clientAddress: undefined, userAgent: undefined }, async () => {
      const keys = revocationKeys(token);
      await requestDenylist.preload([...keys, ...inRequest.notices(id, token.clientId)]);
      return (await requestDenylist.anyRevoked(keys)) ? undefined : inRequest.account(id);
    });
  const change = (id: string, changes: AccountChange) =>
    unitOfWork.run(({ accounts }) => accounts.update(id, changes, clock.now()));
  const agree = (accountId: string, scope: string) =>
    unitOfWork.run(({ consents }) =>
      consents.add({ accountId, clientId: 'web', oidcScopes: [scope], resourceScopes: {} }, clock.now()),
    );
  return { ...stores, clock, database, asked, cached, unitOfWork, here, accountOf, change, agree };
}

const john = sampleAccount();
let world: ReturnType<typeof createWorld>;
beforeEach(async () => {
  world = createWorld();
  await world.accounts.insert(john);
});

describe('a recent read', () => {
  test('costs one question to the denylist the next time, and contains no password hash', async () => {
    const { here, asked } = world;
    const { passwordHash, ...facts } = john;
    expect(passwordHash).toBeDefined();
    expect(await here.account(john.id)).toEqual(facts);
    expect(await here.account(john.id)).toEqual(facts);
    expect(asked).toEqual(['accounts', 'denylist']);
    expect(JSON.stringify(await here.account(john.id))).not.toContain('argon2');
  });

  test('is repeated after a change, as long as any process could have an older copy', async () => {
    const { here, change, clock, asked, cached } = world;
    await here.account(john.id);
    await change(john.id, { roles: ['ADMIN'] });
    expect(cached).toEqual([`changed:${john.id}`]);
    for (const seconds of [0, recentSeconds - 1, 2]) {
      clock.advance(seconds * 1000);
      asked.length = 0;
      expect(await here.account(john.id)).toMatchObject({ roles: ['ADMIN'] });
      expect(asked).toContain('accounts');
    }
    clock.advance(60_000);
    await here.account(john.id);
    asked.length = 0;
    expect(await here.account(john.id)).toMatchObject({ roles: ['ADMIN'] });
    expect(asked).toEqual(['denylist']);
  });

  test('is dropped after a time, whether the data changed or not', async () => {
    const { here, clock, asked } = world;
    await here.account(john.id);
    clock.advance(recentSeconds * 1000);
    await here.account(john.id);
    expect(asked).toEqual(['accounts', 'accounts']);
  });

  test('is not repeated after a change that was rolled back', async () => {
    const { here, unitOfWork, asked, cached } = world;
    await here.account(john.id);
    const run = unitOfWork.run(async ({ accounts }) => {
      await accounts.update(john.id, { roles: ['ADMIN'] }, 0);
      throw new Error('changed its mind');
    });
    await expect(run).rejects.toThrow('changed its mind');
    await here.account(john.id);
    expect(asked).toEqual(['accounts', 'denylist']);
    expect(cached).toEqual([]);
  });

  test('of a consent is repeated after it is extended, withdrawn or given again', async () => {
    const { here, agree, unitOfWork } = world;
    await agree(john.id, 'openid');
    expect(await here.consent(john.id, 'web')).toMatchObject({ oidcScopes: ['openid'] });
    await agree(john.id, 'email');
    const grown = await here.consent(john.id, 'web');
    await here.consent(john.id, 'web');
    expect(grown?.oidcScopes.sort()).toEqual(['email', 'openid']);
    if (grown) await unitOfWork.run(({ consents }) => consents.withdraw(grown));
    expect(await here.consent(john.id, 'web')).toBeUndefined();
    await agree(john.id, 'profile');
    expect(await here.consent(john.id, 'web')).toMatchObject({ oidcScopes: ['profile'] });
  });

  test('of a consent is not repeated after the same consent is given again', async () => {
    const { here, agree, asked, cached } = world;
    await agree(john.id, 'openid');
    await here.consent(john.id, 'web');
    await agree(john.id, 'openid');
    asked.length = 0;
    await here.consent(john.id, 'web');
    expect(asked).toEqual(['denylist']);
    expect(cached).toEqual([]);
  });

  test('is repeated after an import, which writes one notice for all accounts', async () => {
    const { here, database, clock, asked, denylist } = world;
    await here.account(john.id);
    const importing = noticeChanges(new MemoryUnitOfWork({ database, clock }), {
      clock,
      denylist: { cacheEntries: async () => {} },
      everything: true,
    });
    await importing.run(({ accounts }) => accounts.update(john.id, { roles: ['ADMIN'] }, 0));
    expect(await here.account(john.id)).toMatchObject({ roles: ['ADMIN'] });
    expect(asked).toEqual(['accounts', 'denylist', 'accounts']);
    expect(await denylist.inForce({ limit: 9 })).toMatchObject([{ key: 'changed:*' }]);
  });

  test('is dropped when there are too many, the oldest first', async () => {
    const { here, accounts, asked } = Object.assign(world, createWorld({ most: 2 }));
    const people = [sampleAccount(), sampleAccount(), sampleAccount()];
    for (const person of people) {
      await accounts.insert(person);
      await here.account(person.id);
    }
    expect(people.map(({ id }) => here.notices(id, undefined).length > 0)).toEqual([false, true, true]);
    expect(asked).toEqual(['accounts', 'accounts', 'accounts']);
  });

  test('of an unknown account is not cached', async () => {
    const { here, accounts } = world;
    const jane = sampleAccount();
    expect(await here.account(jane.id)).toBeUndefined();
    await accounts.insert(jane);
    expect(await here.account(jane.id)).toMatchObject({ id: jane.id });
  });
});

describe('an account of a sign-in that may have ended', () => {
  const unless: RevocationKey[] = ['family:fam_1', 'session:s1'];
  const end = (key: RevocationKey) => world.denylist.revoke([key], world.clock.now() + 9_000_000_000);

  test('costs one question to the denylist if it is cached, and one more read if not', async () => {
    const { here, asked } = world;
    expect(await here.account(john.id, unless)).toMatchObject({ id: john.id });
    expect(asked).toEqual(['denylist', 'accounts']);
    asked.length = 0;
    expect(await here.account(john.id, unless)).toMatchObject({ id: john.id });
    expect(asked).toEqual(['denylist']);
  });

  test.each(unless)('is not found after %s was ended, cached or not, changed or not', async (key) => {
    const { here, change } = world;
    await end(key);
    expect(await here.account(john.id, unless)).toBeUndefined();
    await here.account(john.id);
    expect(await here.account(john.id, unless)).toBeUndefined();
    await change(john.id, { roles: ['ADMIN'] });
    expect(await here.account(john.id, unless)).toBeUndefined();
    expect(await here.account(john.id, ['family:other'])).toMatchObject({ roles: ['ADMIN'] });
  });

  test('costs no additional question in optimistic work while nothing has ended', async () => {
    const { here, asked } = world;
    const work = () => here.optimistic(() => here.account(john.id, unless));
    await here.account(john.id);
    asked.length = 0;
    expect(await work()).toMatchObject({ id: john.id });
    expect(asked).toEqual(['denylist']);
    await end('family:fam_1');
    expect(await work()).toBeUndefined();
  });
});

describe('the account of a token', () => {
  const token = { jti: 'j1', clientId: 'web', family: 'fam_1' };

  test('costs one question, which also shows whether the token was revoked', async () => {
    const { accountOf, asked, denylist, clock } = world;
    expect(await accountOf(token, john.id)).toMatchObject({ id: john.id });
    asked.length = 0;
    expect(await accountOf(token, john.id)).toMatchObject({ id: john.id });
    expect(asked).toEqual(['denylist']);
    await denylist.revoke(['family:fam_1'], clock.now() + 1000);
    expect(await accountOf(token, john.id)).toBeUndefined();
  });

  test('is read again after a change', async () => {
    const { accountOf, change } = world;
    await accountOf(token, john.id);
    await change(john.id, { raiseTokenVersion: true });
    expect(await accountOf(token, john.id)).toMatchObject({ tokenVersion: john.tokenVersion + 1 });
  });
});

describe('optimistic work', () => {
  /** Runs optimistic work and records its reads in `seen`. */
  const reading = (seen: unknown[], meanwhile = async () => {}) =>
    world.here.optimistic(async ({ confirm }) => {
      const account = await world.here.account(john.id);
      seen.push(account?.roles);
      await meanwhile();
      await confirm();
      return account?.roles;
    });

  test('runs once if nothing changed, with one question for all its reads', async () => {
    const { here, consents, clock, asked } = world;
    const agreement = { accountId: john.id, clientId: 'web', oidcScopes: ['openid'], resourceScopes: {} };
    await consents.add(agreement, clock.now());
    await here.account(john.id);
    await here.consent(john.id, 'web');
    asked.length = 0;
    const seen: unknown[] = [];
    const roles = await here.optimistic(async ({ confirm }) => {
      seen.push((await here.consent(john.id, 'web'))?.oidcScopes);
      const account = await here.account(john.id);
      await confirm();
      return account?.roles;
    });
    expect(roles).toEqual(john.roles);
    expect(seen).toEqual([['openid']]);
    expect(asked).toEqual(['denylist']);
  });

  test('runs again if something changed, and its first result is dropped', async () => {
    const { here, change } = world;
    await here.account(john.id);
    await change(john.id, { roles: ['ADMIN'] });
    const seen: unknown[] = [];
    expect(await reading(seen)).toEqual(['ADMIN']);
    expect(seen).toEqual([john.roles, ['ADMIN']]);
  });

  test('does not continue after confirm with outdated reads', async () => {
    const { here, change } = world;
    await here.account(john.id);
    await change(john.id, { roles: ['ADMIN'] });
    const done: unknown[] = [];
    await here.optimistic(async ({ confirm }) => {
      const account = await here.account(john.id);
      await confirm();
      done.push(account?.roles);
    });
    expect(done).toEqual([['ADMIN']]);
  });

  test('sends its question at ask, and waits for the answer at confirm', async () => {
    const { here, asked } = world;
    await here.account(john.id);
    const seen: string[][] = [];
    await here.optimistic(async ({ ask, confirm }) => {
      await here.account(john.id);
      seen.push([...asked]);
      ask();
      seen.push([...asked]);
      await confirm();
      seen.push([...asked]);
    });
    expect(seen).toEqual([['accounts'], ['accounts', 'denylist'], ['accounts', 'denylist']]);
  });

  test('never repeats steps after confirm', async () => {
    const { here, change, clock, consents } = world;
    await here.account(john.id);
    await consents.add(
      { accountId: john.id, clientId: 'web', oidcScopes: [], resourceScopes: {} },
      clock.now(),
    );
    await here.consent(john.id, 'web');
    let done = 0;
    await here.optimistic(async ({ confirm }) => {
      await here.account(john.id);
      await confirm();
      done += 1;
      await change(john.id, { raiseTokenVersion: true });
      await here.account(john.id);
    });
    const failing = here.optimistic(async ({ confirm }) => {
      await here.consent(john.id, 'web');
      await confirm();
      done += 1;
      await here.account(john.id);
      throw new Error('a reason of its own');
    });
    await expect(failing).rejects.toThrow('a reason of its own');
    expect(done).toBe(2);
  });

  test('reads changed data from the store directly the next time, and runs once', async () => {
    const { here, change, clock } = world;
    await here.account(john.id);
    await change(john.id, { roles: ['ADMIN'] });
    await reading([]);
    const seen: unknown[] = [];
    await reading(seen);
    await reading(seen);
    expect(seen).toEqual([['ADMIN'], ['ADMIN']]);
    clock.advance((recentSeconds + 61) * 1000);
    await here.account(john.id);
    expect(here.notices(john.id, undefined)).toEqual([`changed:${john.id}`, 'changed:*']);
  });

  test('drops an error from outdated reads, and throws other errors', async () => {
    const { here, change } = world;
    await change(john.id, { state: 'disabled' });
    await here.account(john.id);
    const enabledOnly = () =>
      here.optimistic(async () => {
        if ((await here.account(john.id))?.state !== 'active') throw new Error('disabled');
        return 'in';
      });
    await expect(enabledOnly()).rejects.toThrow('disabled');
    await change(john.id, { state: 'active' });
    expect(await enabledOnly()).toBe('in');
  });

  test("confirms nothing if the denylist can't be read", async () => {
    const { here, accounts, consents, clock } = world;
    await here.account(john.id);
    const away = new Error('away');
    const alone = createRecentReads({
      accounts,
      consents,
      clock,
      most: 9,
      denylist: { anyRevoked: () => Promise.reject(away) },
    });
    await alone.account(john.id);
    const work = alone.optimistic(async ({ confirm }) => {
      await alone.account(john.id);
      await confirm();
    });
    await expect(work).rejects.toBe(away);
  });
});

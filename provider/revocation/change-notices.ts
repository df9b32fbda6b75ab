import type { Clock } from '../lib/clock.ts';
import type { Agreement } from '../ports/consent-store.ts';
import type { RevocationKey } from '../ports/denylist.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';

/** How long what was read of an account may be used, as long as nothing says that it changed. */
export const recentSeconds = 3600;

/** For clocks that differ, and for a transaction that takes its time to commit. */
const slackSeconds = 60;

/** Says that what was read of this account before isn't as it was. */
export const accountNotice = (accountId: string): RevocationKey => `changed:${accountId}`;

/** The same of a consent. */
export const consentNotice = (accountId: string, clientId: string): RevocationKey =>
  `changed:${accountId} ${clientId}`;

/** The same of everything. */
export const noticeOfAll: RevocationKey = 'changed:*';

export interface ChangeNoticesDeps {
  clock: Clock;
  /** Makes entries that last known to other processes; never rejects. */
  copy(keys: RevocationKey[], expiresAt: number): Promise<void>;
  /** So much is changed, one thing after the other, that one notice of all is better. */
  everything?: boolean;
}

/**
 * The same unit of work, which leaves a notice of every account and consent that was changed, in the same transaction:
 * from the commit on no process uses what it read before. In other processes that is once `run` has resolved, or as soon as
 * they hear of entries in the denylist.
 */
export function noticeChanges(unitOfWork: UnitOfWork, deps: ChangeNoticesDeps): UnitOfWork {
  return {
    run: async (work) => {
      const changed = new Set<RevocationKey>();
      const expiresAt = () => deps.clock.now() + (recentSeconds + slackSeconds) * 1000;
      const note = (notice: RevocationKey) => changed.add(deps.everything ? noticeOfAll : notice);
      const result = await unitOfWork.run(async (stores) => {
        const done = await work(watched(stores, note));
        if (changed.size > 0) await stores.denylist.revoke([...changed], expiresAt());
        return done;
      });
      if (changed.size > 0) await deps.copy([...changed], expiresAt());
      return result;
    },
  };
}

function watched(stores: TransactionStores, note: (notice: RevocationKey) => void): TransactionStores {
  const { accounts, consents } = stores;
  return {
    ...stores,
    accounts: withMethods(accounts, {
      update: (id, change, at) => {
        note(accountNotice(id));
        return accounts.update(id, change, at);
      },
    }),
    consents: withMethods(consents, {
      add: async (agreement, at) => {
        const { accountId, clientId } = agreement;
        const before = await consents.find(accountId, clientId);
        const added = await consents.add(agreement, at);
        // Of one that wasn't there nothing can have been kept; and apps ask again for what they were given.
        if (!added.isNew && !covers(before, agreement)) note(consentNotice(accountId, clientId));
        return added;
      },
      withdraw: (consent) => {
        note(consentNotice(consent.accountId, consent.clientId));
        return consents.withdraw(consent);
      },
    }),
  };
}

function covers(before: Agreement | undefined, { oidcScopes, resourceScopes }: Agreement): boolean {
  const has = (held: readonly string[] | undefined, wanted: readonly string[]) =>
    wanted.every((scope) => held?.includes(scope));
  return (
    has(before?.oidcScopes, oidcScopes) &&
    Object.entries(resourceScopes).every(([audience, wanted]) =>
      has(before?.resourceScopes[audience], wanted),
    )
  );
}

/** The same store but for these methods. */
function withMethods<Store extends object>(store: Store, own: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(own, name) ?? Reflect.get(target, name, target);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

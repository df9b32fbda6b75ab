import type { Clock } from '../lib/clock.ts';
import type { Agreement } from '../ports/consent-store.ts';
import type { Mail } from '../ports/mails.ts';
import type { OutboxEvent } from '../ports/outbox.ts';
import {
  accountNotice,
  consentNotice,
  everythingNotice,
  type RevocationKey,
} from '../ports/revocation-keys.ts';
import type { RecentSignIn } from '../ports/sign-in-history.ts';
import type { SignInUnitOfWork, TransactionStores } from '../ports/unit-of-work.ts';
import type { CachedDenylist } from './cached-denylist.ts';

/** How long a process may use what it read of an account, as long as there is no notice that the account changed. */
export const recentSeconds = 3600;

/** Allows for clocks that differ, and for a transaction that takes its time to commit. */
const slackSeconds = 60;

export interface ChangeNoticesOptions {
  clock: Clock;
  denylist: Pick<CachedDenylist, 'cacheEntries'>;
  /** Called after a commit that holds an event, so that the event is published soon. */
  eventCommitted?: () => void;
  /** Called after a commit that ended sessions at clients, so that their logouts are delivered soon. */
  logoutCommitted?: () => void;
  /** Called after a commit that holds a mail, so that it is sent soon. */
  mailCommitted?: () => void;
  /** For an import. It changes many accounts, so one notice about everything is better than one for each. */
  everything?: boolean;
}

/**
 * Returns a unit of work that also writes a notice about every changed account and consent, in the same transaction.
 * After the commit, processes stop using the copies that they read before. This process stops at once. Other processes
 * stop when `run` has resolved, or when they see the new entries of the denylist.
 */
export function noticeChanges(unitOfWork: SignInUnitOfWork, options: ChangeNoticesOptions): SignInUnitOfWork {
  const { clock, denylist, eventCommitted, logoutCommitted, mailCommitted, everything } = options;
  const expiresAt = () => clock.now() + (recentSeconds + slackSeconds) * 1000;
  return {
    run: async (work) => {
      const changed = new Set<RevocationKey>();
      let [hasEvent, hasLogout, hasMail] = [false, false, false];
      const result = await unitOfWork.run(async (stores) => {
        const watched = watch(stores, {
          changed: (notice) => changed.add(everything ? everythingNotice : notice),
          appended: () => {
            hasEvent = true;
          },
          loggedOut: () => {
            hasLogout = true;
          },
          mailed: () => {
            hasMail = true;
          },
        });
        const done = await work(watched);
        if (changed.size > 0) await stores.denylist.revoke([...changed], expiresAt());
        return done;
      });
      if (hasEvent) eventCommitted?.();
      if (hasLogout) logoutCommitted?.();
      if (hasMail) mailCommitted?.();
      if (changed.size > 0) await denylist.cacheEntries([...changed], expiresAt());
      return result;
    },
    recordSignIn: async (...given) => {
      const isWritten = await unitOfWork.recordSignIn(...given);
      if (isWritten) eventCommitted?.();
      return isWritten;
    },
  };
}

interface Watcher {
  changed(notice: RevocationKey): void;
  appended(): void;
  loggedOut(): void;
  mailed(): void;
}

function watch(stores: TransactionStores, watcher: Watcher): TransactionStores {
  return withOwn(stores, {
    get accounts() {
      const { accounts } = stores;
      return withOwn(accounts, {
        update: (id, change, at) => {
          watcher.changed(accountNotice(id));
          return accounts.update(id, change, at);
        },
      });
    },
    get consents() {
      const { consents } = stores;
      return withOwn(consents, {
        add: async (agreement, at) => {
          const { accountId, clientId } = agreement;
          const before = await consents.find(accountId, clientId);
          const added = await consents.add(agreement, at);
          // A new consent cannot have been read before; and apps often ask again for what they already have.
          if (!added.isNew && !covers(before, agreement)) watcher.changed(consentNotice(accountId, clientId));
          return added;
        },
        withdraw: (consent) => {
          watcher.changed(consentNotice(consent.accountId, consent.clientId));
          return consents.withdraw(consent);
        },
        withdrawAll: async (clientIds) => {
          const withdrawn = await consents.withdrawAll(clientIds);
          // There may be many, so there is one notice about everything.
          if (withdrawn > 0) watcher.changed(everythingNotice);
          return withdrawn;
        },
      });
    },
    get clientSessions() {
      const { clientSessions } = stores;
      return withOwn(clientSessions, {
        end: (which, at) => {
          watcher.loggedOut();
          return clientSessions.end(which, at);
        },
      });
    },
    get mails() {
      const { mails } = stores;
      return {
        add: (mail: Mail) => {
          watcher.mailed();
          return mails.add(mail);
        },
      };
    },
    get outbox() {
      const { outbox } = stores;
      return {
        append: (event: OutboxEvent, signIn?: RecentSignIn) => {
          watcher.appended();
          return outbox.append(event, signIn);
        },
      };
    },
  });
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

/** The same object except for these members. A store is looked up only when it is used. */
function withOwn<Target extends object>(target: Target, own: Partial<Target>): Target {
  return new Proxy(target, {
    get: (original, name) => {
      const member: unknown = Reflect.get(own, name) ?? Reflect.get(original, name, original);
      return typeof member === 'function' ? member.bind(original) : member;
    },
  });
}

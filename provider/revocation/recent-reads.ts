import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../lib/clock.ts';
import type { AccountFacts, AccountStore } from '../ports/account-store.ts';
import type { Consent, ConsentStore } from '../ports/consent-store.ts';
import type { Denylist } from '../ports/denylist.ts';
import {
  accountNotice,
  consentNotice,
  everythingNotice,
  type RevocationKey,
} from '../ports/revocation-keys.ts';
import { recentSeconds } from './change-notices.ts';

export interface RecentReadsOptions {
  accounts: Pick<AccountStore, 'findById'>;
  consents: Pick<ConsentStore, 'find'>;
  denylist: Pick<Denylist, 'anyRevoked'>;
  clock: Clock;
  /** How many accounts, and how many consents, are kept at most. */
  most: number;
}

/**
 * Accounts and consents by their ids, read from the store once and then kept in memory. A kept value is used only after
 * the denylist was asked whether there is a notice that it changed, so an answer is never older than the question. With a
 * revocation cache in Redis, such a read needs no Postgres.
 */
export interface RecentReads {
  /**
   * @param unless keys of what the caller was signed in by; undefined is returned when one of them is listed. For a kept
   *   account they go into the same question.
   */
  account(id: string, unless?: readonly RevocationKey[]): Promise<AccountFacts | undefined>;
  consent(accountId: string, clientId: string): Promise<Consent | undefined>;
  /**
   * The notices that would make the kept account, and its kept consent for this client, unusable; empty when nothing is
   * kept. For `RequestDenylist.preload`.
   */
  notices(accountId: string, clientId: string | undefined): RevocationKey[];
  /**
   * Runs `work` on kept values without asking first; one question is asked for all of them together. `work` must await
   * `confirm` before it does anything that lasts, and must read nothing afterwards. If something did change, `work` runs
   * once more and reads from the stores; the result or error of the first run is dropped.
   */
  optimistic<T>(work: (question: ReadsQuestion) => Promise<T>): Promise<T>;
}

/** Whether the account and consent are still as they were read. */
export interface ReadsQuestion {
  /** Sends the question and does not wait: for use before slow work. */
  ask(): void;
  /** Waits for the answer, and throws when something changed. */
  confirm(): Promise<void>;
}

class Changed extends Error {}

export function createRecentReads(options: RecentReadsOptions): RecentReads {
  const { denylist } = options;
  const accounts = createKept<AccountFacts>(options);
  const consents = createKept<Consent>(options);
  const attempts = new AsyncLocalStorage<Question | 'fresh'>();
  const consentKey = (accountId: string, clientId: string) => JSON.stringify([accountId, clientId]);

  /** Whether the kept value may be used. @param drop called when it may not */
  const mayUse = async (unless: RevocationKey[], drop: () => void): Promise<boolean> => {
    const attempt = attempts.getStore();
    if (attempt === 'fresh') return false;
    const question = attempt ?? createQuestion(denylist);
    question.add(unless, drop);
    return attempt !== undefined || !(await question.answer());
  };

  return {
    account: async (id, unless = []) => {
      const kept = accounts.get(id);
      if (kept && (await mayUse([accountNotice(id), ...unless], () => accounts.drop(id)))) return kept;
      if (unless.length > 0 && (await denylist.anyRevoked([...unless]))) return undefined;
      return accounts.reading(id, async () => {
        const { passwordHash: _, ...facts } = (await options.accounts.findById(id)) ?? {};
        return 'id' in facts ? facts : undefined;
      });
    },
    consent: async (accountId, clientId) => {
      const key = consentKey(accountId, clientId);
      const kept = consents.get(key);
      const notice = consentNotice(accountId, clientId);
      if (kept && (await mayUse([notice], () => consents.drop(key)))) return kept;
      return consents.reading(key, () => options.consents.find(accountId, clientId));
    },
    notices: (accountId, clientId) => {
      const keys: RevocationKey[] = [];
      if (accounts.get(accountId)) keys.push(accountNotice(accountId));
      if (clientId !== undefined && consents.get(consentKey(accountId, clientId)))
        keys.push(consentNotice(accountId, clientId));
      return keys.length > 0 ? [...keys, everythingNotice] : [];
    },
    optimistic: async (work) => {
      const question = createQuestion(denylist);
      let confirmed = false;
      const confirm = async () => {
        if (await question.answer()) throw new Changed();
        confirmed = true;
      };
      try {
        const result = await attempts.run(question, () => work({ ask: question.ask, confirm }));
        // Work that confirmed has written something by now, so it is not run again.
        if (!confirmed) await confirm();
        return result;
      } catch (error) {
        if (confirmed || (!(error instanceof Changed) && !(await question.answer()))) throw error;
        return attempts.run('fresh', () => work({ ask: () => {}, confirm: async () => {} }));
      }
    },
  };
}

/** Whether any added key is listed. */
interface Question {
  /** @param drop called when a key is listed */
  add(keys: readonly RevocationKey[], drop: () => void): void;
  /** Asks about the keys that were added since the last question. */
  ask(): void;
  answer(): Promise<boolean>;
}

function createQuestion(denylist: RecentReadsOptions['denylist']): Question {
  const added = new Set<RevocationKey>();
  const drops = new Set<() => void>();
  const asked: Promise<boolean>[] = [];
  const ask = () => {
    if (added.size === 0) return;
    const one = denylist.anyRevoked([...added, everythingNotice]);
    // A caller that waits for the answer gets the error; without one the rejection must not end the process.
    one.catch(() => {});
    added.clear();
    asked.push(one);
  };
  return {
    add: (keys, drop) => {
      for (const key of keys) added.add(key);
      drops.add(drop);
    },
    ask,
    answer: async () => {
      ask();
      const isChanged = (await Promise.all(asked)).includes(true);
      if (isChanged) for (const drop of drops) drop();
      return isChanged;
    },
  };
}

/** Values by key; when there are too many, the one that was read first is removed. */
function createKept<Value>({ clock, most }: Pick<RecentReadsOptions, 'clock' | 'most'>) {
  const kept = new Map<string, { value: Value | undefined; at: number }>();
  const isLive = (at: number) => {
    const age = clock.now() - at;
    return age >= 0 && age < recentSeconds * 1000;
  };
  const put = (key: string, value: Value | undefined, at: number) => {
    kept.delete(key);
    kept.set(key, { value, at });
    if (kept.size > most) kept.delete(kept.keys().next().value ?? key);
  };
  const liveOf = (key: string) => {
    const found = kept.get(key);
    return found && isLive(found.at) ? found : undefined;
  };
  return {
    get: (key: string): Value | undefined => liveOf(key)?.value,
    reading: async (key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> => {
      const at = clock.now();
      const value = await read();
      const found = liveOf(key);
      // While the notice may be in force, nothing that is kept could be used.
      const isDropped = found !== undefined && found.value === undefined;
      if (value !== undefined && !isDropped) put(key, value, at);
      return value;
    },
    drop: (key: string): void => put(key, undefined, clock.now()),
  };
}

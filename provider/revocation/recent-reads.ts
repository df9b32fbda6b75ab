import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../lib/clock.ts';
import type { AccountFacts, AccountStore } from '../ports/account-store.ts';
import type { Consent, ConsentStore } from '../ports/consent-store.ts';
import type { Denylist, RevocationKey } from '../ports/denylist.ts';
import { accountNotice, consentNotice, noticeOfAll, recentSeconds } from './change-notices.ts';

export interface RecentReadsDeps {
  accounts: Pick<AccountStore, 'findById'>;
  consents: Pick<ConsentStore, 'find'>;
  denylist: Pick<Denylist, 'anyRevoked'>;
  clock: Clock;
  /** How many accounts, and how many consents, are kept at most. */
  most: number;
}

/**
 * Accounts and consents by their ids, read from their store once and then kept. What is kept is used as long as the
 * denylist has no notice that it changed, which is asked each time: so an answer is never older than the question. Where
 * the denylist has a fast copy, reading takes no Postgres.
 */
export interface RecentReads {
  /**
   * @param unless what the asker was signed in by: undefined is given when any of these is revoked. Where the account is
   *   kept that takes no question of its own.
   */
  account(id: string, unless?: readonly RevocationKey[]): Promise<AccountFacts | undefined>;
  consent(accountId: string, clientId: string): Promise<Consent | undefined>;
  /** What is kept of an account, good only if the denylist has none of these keys. */
  kept(id: string): { account: AccountFacts; unless: RevocationKey[] } | undefined;
  /**
   * Runs `work`, which gets what is kept at once; whether that still holds is asked for all of it together. `work` has to
   * await `confirm` before it does anything that stays, and reads nothing afterwards. If something did change, it is run
   * once more and reads anew; what the first run gave or threw is forgotten.
   */
  optimistic<T>(work: (question: ReadsQuestion) => Promise<T>): Promise<T>;
}

export interface ReadsQuestion {
  /** Sends the question and doesn't wait: for before something that takes its time. */
  ask(): void;
  /** Waits for the answer, and throws when something changed. */
  confirm(): Promise<void>;
}

class Changed extends Error {}

export function createRecentReads(deps: RecentReadsDeps): RecentReads {
  const { denylist } = deps;
  const accounts = createKept<AccountFacts>(deps);
  const consents = createKept<Consent>(deps);
  const attempts = new AsyncLocalStorage<Question | 'anew'>();

  /** Whether what is kept may be used. @param drop for when it may not */
  const mayUse = async (unless: RevocationKey[], drop: () => void): Promise<boolean> => {
    const attempt = attempts.getStore();
    if (attempt === 'anew') return false;
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
        const { passwordHash: _, ...facts } = (await deps.accounts.findById(id)) ?? {};
        return 'id' in facts ? facts : undefined;
      });
    },
    consent: async (accountId, clientId) => {
      const key = JSON.stringify([accountId, clientId]);
      const kept = consents.get(key);
      const notice = consentNotice(accountId, clientId);
      if (kept && (await mayUse([notice], () => consents.drop(key)))) return kept;
      return consents.reading(key, () => deps.consents.find(accountId, clientId));
    },
    kept: (id) => {
      const account = accounts.get(id);
      return account && { account, unless: [accountNotice(id), noticeOfAll] };
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
        // What stays was done by then: work that confirmed isn't run again.
        if (!confirmed) await confirm();
        return result;
      } catch (error) {
        if (confirmed || (!(error instanceof Changed) && !(await question.answer()))) throw error;
        return attempts.run('anew', () => work({ ask: () => {}, confirm: async () => {} }));
      }
    },
  };
}

/** Whether any key that was added is in the denylist. */
interface Question {
  /** @param drop called when there is one */
  add(keys: readonly RevocationKey[], drop: () => void): void;
  /** Sends what wasn't asked yet. */
  ask(): void;
  answer(): Promise<boolean>;
}

function createQuestion(denylist: RecentReadsDeps['denylist']): Question {
  const added = new Set<RevocationKey>();
  const drops = new Set<() => void>();
  const asked: Promise<boolean>[] = [];
  const ask = () => {
    if (added.size === 0) return;
    const one = denylist.anyRevoked([...added, noticeOfAll]);
    // Its failure is for who waits for the answer, and nobody may.
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

/** What was read, those read longest ago leaving first. */
function createKept<Value>({ clock, most }: Pick<RecentReadsDeps, 'clock' | 'most'>) {
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
      // As long as the notice may be in force nothing that is kept could be used.
      const isDropped = found !== undefined && found.value === undefined;
      if (value !== undefined && !isDropped) put(key, value, at);
      return value;
    },
    drop: (key: string): void => put(key, undefined, clock.now()),
  };
}

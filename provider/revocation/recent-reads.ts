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
  account(id: string): Promise<AccountFacts | undefined>;
  consent(accountId: string, clientId: string): Promise<Consent | undefined>;
  /** What is kept of an account, good only if the denylist has none of these keys. */
  kept(id: string): { account: AccountFacts; unless: RevocationKey[] } | undefined;
  /**
   * Runs `work`, which gets what is kept at once, while the denylist is asked beside it. It has to await `confirm` before
   * it does anything that stays. If something did change, `work` is run once more and reads anew; what the first run gave
   * or threw is forgotten.
   */
  optimistic<T>(work: (confirm: () => Promise<void>) => Promise<T>): Promise<T>;
}

class Changed extends Error {}

export function createRecentReads(deps: RecentReadsDeps): RecentReads {
  const { denylist } = deps;
  const accounts = createKept<AccountFacts>(deps);
  const consents = createKept<Consent>(deps);
  const attempts = new AsyncLocalStorage<Question | 'anew'>();

  /** Whether what is kept may be used. */
  const mayUse = async (notice: RevocationKey): Promise<boolean> => {
    const attempt = attempts.getStore();
    if (attempt === undefined) return !(await denylist.anyRevoked([notice, noticeOfAll]));
    if (attempt === 'anew') return false;
    attempt.add(notice);
    return true;
  };

  return {
    account: async (id) => {
      const kept = accounts.get(id);
      if (kept && (await mayUse(accountNotice(id)))) return kept;
      return accounts.reading(id, async () => {
        const { passwordHash: _, ...facts } = (await deps.accounts.findById(id)) ?? {};
        return 'id' in facts ? facts : undefined;
      });
    },
    consent: async (accountId, clientId) => {
      const key = JSON.stringify([accountId, clientId]);
      const kept = consents.get(key);
      if (kept && (await mayUse(consentNotice(accountId, clientId)))) return kept;
      return consents.reading(key, () => deps.consents.find(accountId, clientId));
    },
    kept: (id) => {
      const account = accounts.get(id);
      return account && { account, unless: [accountNotice(id), noticeOfAll] };
    },
    optimistic: async (work) => {
      const question = createQuestion(denylist);
      const confirm = async () => {
        if (await question.answer()) throw new Changed();
      };
      try {
        const result = await attempts.run(question, () => work(confirm));
        await confirm();
        return result;
      } catch (error) {
        if (!(error instanceof Changed) && !(await question.answer())) throw error;
        return attempts.run('anew', () => work(async () => {}));
      }
    },
  };
}

/** Whether there is a notice of anything added: asked at once for all that is added in a row, so that it takes no time of its own. */
interface Question {
  add(notice: RevocationKey): void;
  answer(): Promise<boolean>;
}

function createQuestion(denylist: RecentReadsDeps['denylist']): Question {
  const added = new Set<RevocationKey>();
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
    add: (notice) => {
      if (added.size === 0) setImmediate(ask);
      added.add(notice);
    },
    answer: async () => {
      ask();
      return (await Promise.all(asked)).includes(true);
    },
  };
}

/** What was read, those read longest ago leaving first. */
function createKept<Value>({ clock, most }: Pick<RecentReadsDeps, 'clock' | 'most'>) {
  const kept = new Map<string, { value: Value; readAt: number }>();
  return {
    get: (key: string): Value | undefined => {
      const found = kept.get(key);
      const age = clock.now() - (found?.readAt ?? 0);
      return age >= 0 && age < recentSeconds * 1000 ? found?.value : undefined;
    },
    reading: async (key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> => {
      const readAt = clock.now();
      const value = await read();
      kept.delete(key);
      if (value === undefined) return undefined;
      kept.set(key, { value, readAt });
      if (kept.size > most) kept.delete(kept.keys().next().value ?? key);
      return value;
    },
  };
}

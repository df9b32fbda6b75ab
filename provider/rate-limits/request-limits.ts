import type { Clock } from '../lib/clock.ts';
import type { BucketRule } from '../ports/limits.ts';
import type { Counters } from './counters.ts';
import type { Refusal } from './refusals.ts';
import type { LimitedRequest } from './request-rules.ts';
import { buckets, countedHere } from './rules.ts';

export interface RequestLimits {
  /**
   * Counts a request before any work is done for it. Throws `too_many_requests`, and `overloaded` when all callers together
   * send too many.
   */
  count(action: LimitedRequest): Promise<void>;
  /** Counts a request for the account page in a browser's session. Throws `too_many_requests`. */
  countSession(sessionUid: string): Promise<void>;
  /** Counts a change of the address that an account asks for. Throws `too_many_requests`. */
  countAddressChange(accountId: string): Promise<void>;
  /**
   * Whether a client's secret is right; only wrong secrets are counted. Throws `too_many_requests` before the secret is
   * compared.
   */
  clientSecret(clientId: string, matches: () => boolean): Promise<boolean>;
}

/** What is counted: its name in this process, and its key in the store, which costs a hash. */
interface Counted {
  name: string;
  key(): string;
}

/** Limits for requests that anybody may send. A caller that is refused again and again costs no call of the store. */
export function createRequestLimits({
  counters,
  refusal,
}: {
  counters: Counters;
  refusal: Refusal;
}): RequestLimits {
  const { limits, local, key, here, scaled } = counters;
  const recent = createRecentRefusals(counters.clock);

  const take = async (counted: Counted, rule: BucketRule): Promise<number> => {
    const waitMs = await limits.take(counted.key(), rule);
    if (waitMs > 0) recent.add(counted.name, waitMs);
    return waitMs;
  };
  /** The store is asked only beyond the share that this process allows on its own. */
  const takeBeyondShare = async (counted: Counted, rule: BucketRule): Promise<number> => {
    const share = { ...rule, burst: Math.floor(rule.burst * countedHere) };
    if (share.burst > 0 && (await local.take(`here ${counted.name}`, share)) === 0) return 0;
    return take(counted, rule);
  };

  return {
    count: async (action) => {
      const values = { ...here(), all: 'everywhere' };
      const rules: Partial<Record<keyof typeof values, BucketRule>> = buckets[action];
      for (const by of ['address', 'network', 'all'] as const) {
        const rule = rules[by];
        if (!rule) continue;
        const counted = { name: `${action} ${by} ${values[by]}`, key: () => key(action, by, values[by]) };
        const waitMs = recent.waitMs(counted.name) || (await takeBeyondShare(counted, scaled(rule)));
        if (waitMs > 0) throw refusal(action, { by, waitMs });
      }
    },
    countSession: async (sessionUid) => {
      const counted = {
        name: `account session ${sessionUid}`,
        key: () => key('account', 'session', sessionUid),
      };
      const waitMs =
        recent.waitMs(counted.name) || (await takeBeyondShare(counted, scaled(buckets.account.session)));
      if (waitMs > 0) throw refusal('account', { by: 'session', waitMs });
    },
    countAddressChange: async (accountId) => {
      const { account } = buckets['change-address'];
      const waitMs = await limits.take(key('change-address', 'account', accountId), account);
      if (waitMs > 0) throw refusal('change-address', { by: 'account', waitMs });
    },
    clientSecret: async (clientId, matches) => {
      const { address } = here();
      const counted = {
        name: `client ${address} ${clientId}`,
        key: () => key('client', 'pair', clientId, address),
      };
      const known = recent.waitMs(counted.name);
      if (known === 0 && matches()) return true;
      const waitMs = known || (await take(counted, buckets.client.pair));
      if (waitMs === 0) return false;
      throw refusal('client', { by: 'pair', waitMs });
    },
  };
}

/**
 * Remembers refusals in this process for as long as they last.
 * @param most how many are remembered; beyond that the oldest is forgotten, which only costs another call of the store
 */
export function createRecentRefusals(clock: Clock, most = 10_000) {
  const refused = new Map<string, { until: number; waitMs: number }>();
  return {
    add: (name: string, waitMs: number): void => {
      refused.delete(name);
      refused.set(name, { until: clock.now() + waitMs, waitMs });
      for (const oldest of refused.keys()) {
        if (refused.size <= most) break;
        refused.delete(oldest);
      }
    },
    /** How many milliseconds the refusal still lasts; 0 when there is none. */
    waitMs: (name: string): number => {
      const known = refused.get(name);
      if (!known) return 0;
      // Never longer than the last refusal said, even when the clock is set back.
      const left = Math.min(known.until - clock.now(), known.waitMs);
      if (left <= 0) refused.delete(name);
      return Math.max(0, left);
    },
  };
}

import type { BucketRule, Limits } from '../ports/limits.ts';
import { clientNetworkOf, type LimitKeys } from './limit-keys.ts';
import type { RecentRefusals } from './recent-refusals.ts';
import { type RefusalDeps, tooMany } from './refusals.ts';
import { buckets, countedHere, scaled } from './rules.ts';

export type LimitedRequest = 'authorize' | 'page' | 'token' | 'refresh';

export interface RequestGuardDeps extends RefusalDeps {
  limits: Limits;
  /** Of this process alone. */
  local: Limits;
  refusals: RecentRefusals;
  keys: LimitKeys;
  percent: number;
}

export interface RequestGuard {
  /**
   * Counts a request before anything is done for it. Throws `too_many_requests`, and `overloaded` when it is everybody
   * together that asks too much.
   */
  request(action: LimitedRequest, address: string | undefined): Promise<void>;
  /**
   * Whether a client's secret is right; only wrong ones are counted. Throws `too_many_requests`, then without looking at the
   * secret.
   */
  clientSecret(
    who: { client: string; address: string | undefined },
    matches: () => boolean,
  ): Promise<boolean>;
}

/** Limits for what anybody may ask for. What is refused again and again costs no call of the store. */
export function createRequestGuard(deps: RequestGuardDeps): RequestGuard {
  const { limits, local, refusals, keys, percent } = deps;
  return {
    request: async (action, address) => {
      const place = { ...clientNetworkOf(address), all: 'everywhere' };
      const rules: Partial<Record<keyof typeof place, BucketRule>> = buckets[action];
      for (const by of ['address', 'network', 'all'] as const) {
        const limit = rules[by];
        if (!limit) continue;
        const counted = { here: `${action} ${by} ${place[by]}`, key: () => keys(action, by, place[by]) };
        const waitMs = refusals.waitMs(counted.here) || (await overRule(counted, scaled(limit, percent)));
        if (waitMs > 0) throw tooMany(deps, action, { by, waitMs, address: address ?? 'unknown' });
      }
    },
    clientSecret: async ({ client, address }, matches) => {
      const place = clientNetworkOf(address).address;
      const counted = {
        here: `client ${place} ${client}`,
        key: () => keys('client', 'pair', client, place),
      };
      const known = refusals.waitMs(counted.here);
      if (known === 0 && matches()) return true;
      const waitMs = known || (await taken(counted, buckets.client.pair));
      if (waitMs === 0) return false;
      throw tooMany(deps, 'client', { by: 'pair', waitMs, address: address ?? 'unknown' });
    },
  };

  async function overRule(counted: Counted, rule: BucketRule): Promise<number> {
    const free = { ...rule, burst: Math.floor(rule.burst * countedHere) };
    if (free.burst > 0 && (await local.take(`here ${counted.here}`, free)) === 0) return 0;
    return taken(counted, rule);
  }

  async function taken(counted: Counted, rule: BucketRule): Promise<number> {
    const waitMs = await limits.take(counted.key(), rule);
    if (waitMs > 0) refusals.note(counted.here, waitMs);
    return waitMs;
  }
}

/** What is counted, by its name in this process, and by the keyed hash that a store may see, which takes longer to make. */
interface Counted {
  here: string;
  key(): string;
}

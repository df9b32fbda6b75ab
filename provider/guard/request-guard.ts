import type { Limits } from '../ports/limits.ts';
import type { LimitKeys } from './limit-keys.ts';
import { placeOf } from './places.ts';
import type { RecentRefusals } from './recent-refusals.ts';
import { type RefusalDeps, tooMany } from './refusals.ts';
import { buckets, countedHere, scaled } from './rules.ts';

export type LimitedRequest = 'authorize' | 'token' | 'refresh';

export interface RequestGuardDeps extends RefusalDeps {
  limits: Limits;
  /** Of this process alone. */
  local: Limits;
  refusals: RecentRefusals;
  keys: LimitKeys;
  percent: number;
}

export interface RequestGuard {
  /** Counts a request before anything is done for it. Throws `too_many_requests`. */
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
      const place = placeOf(address);
      for (const by of ['address', 'network'] as const) {
        const key = keys(action, by, place[by]);
        const rule = scaled(buckets[action][by], percent);
        const waitMs = refusals.waitMs(key) || (await overRule(key, rule));
        if (waitMs > 0) throw tooMany(deps, action, { by, waitMs, address: address ?? 'unknown' });
      }
    },
    clientSecret: async ({ client, address }, matches) => {
      const key = keys('client', 'pair', client, placeOf(address).address);
      const known = refusals.waitMs(key);
      if (known === 0 && matches()) return true;
      const waitMs = known || (await taken(key, buckets.client.pair));
      if (waitMs === 0) return false;
      throw tooMany(deps, 'client', { by: 'pair', waitMs, address: address ?? 'unknown' });
    },
  };

  async function overRule(key: string, rule: { burst: number; perSeconds: number }): Promise<number> {
    const free = { ...rule, burst: Math.floor(rule.burst * countedHere) };
    if (free.burst > 0 && (await local.take(`here ${key}`, free)) === 0) return 0;
    return taken(key, rule);
  }

  async function taken(key: string, rule: { burst: number; perSeconds: number }): Promise<number> {
    const waitMs = await limits.take(key, rule);
    if (waitMs > 0) refusals.note(key, waitMs);
    return waitMs;
  }
}

import type { Limits } from '../ports/limits.ts';
import { clientNetworkOf, type LimitKeys } from './limit-keys.ts';
import { longest, type RefusalDeps, tooMany } from './refusals.ts';
import { buckets, scaled } from './rules.ts';

export interface DeviceGuardDeps extends RefusalDeps {
  limits: Limits;
  keys: LimitKeys;
  /** How much larger or smaller limits by address and network are than in the table. */
  percent: number;
}

export interface DeviceGuard {
  /**
   * Counts a try at a user code before it is looked up, so that parallel guesses get no more tries; one that finds
   * something takes that back. Throws `too_many_requests`.
   */
  userCode<T>(address: string | undefined, lookUp: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Counts a device's question about its code. True when it came too soon after the others. */
  pollsTooSoon(deviceCode: string): Promise<boolean>;
}

/** Limits for the device flow (RFC 8628 §3.5, §5.1). */
export function createDeviceGuard(deps: DeviceGuardDeps): DeviceGuard {
  const { limits, keys, percent } = deps;
  return {
    userCode: async (address, lookUp) => {
      const place = clientNetworkOf(address);
      const wanted = (['address', 'network'] as const).map((by) => ({
        by,
        key: keys('user-code', by, place[by]),
        rule: scaled(buckets['user-code'][by], percent),
      }));
      const takes = await Promise.all(
        wanted.map(async (bucket) => ({ ...bucket, waitMs: await limits.take(bucket.key, bucket.rule) })),
      );
      const giveBack = () =>
        Promise.allSettled(
          takes.filter(({ waitMs }) => waitMs === 0).map(({ key, rule }) => limits.giveBack(key, rule)),
        );
      const refusal = longest(takes);
      if (refusal) {
        await giveBack();
        throw tooMany(deps, 'user-code', { ...refusal, address: address ?? 'unknown' });
      }
      const found = await lookUp().catch(async (error: unknown) => {
        await giveBack();
        throw error;
      });
      if (found !== undefined) await giveBack();
      return found;
    },
    pollsTooSoon: async (deviceCode) => {
      const key = keys('device', 'pair', deviceCode);
      return (await limits.take(key, buckets.device.pair)) > 0;
    },
  };
}

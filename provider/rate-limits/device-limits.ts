import type { Counters } from './counters.ts';
import type { Refusal } from './refusals.ts';
import { buckets } from './rules.ts';

export interface DeviceLimits {
  /**
   * Counts a try at a user code before the code is looked up, so that parallel guesses get no more tries. A code that is
   * found is not counted. Throws `too_many_requests`, and any error of `lookUp`.
   */
  userCode<T>(lookUp: () => Promise<T | undefined>): Promise<T | undefined>;
  /** Counts a poll of a device. True when it came too soon after the last ones: the answer is `slow_down`. */
  pollsTooSoon(deviceCode: string): Promise<boolean>;
}

/** Limits for the device flow (RFC 8628 §3.5, §5.1). */
export function createDeviceLimits({
  counters,
  refusal,
}: {
  counters: Counters;
  refusal: Refusal;
}): DeviceLimits {
  const { limits, key } = counters;
  return {
    userCode: async (lookUp) => {
      const taken = counters.bucketsHere('user-code');
      const refused = await counters.takeAll(taken);
      if (refused) throw refusal('user-code', refused);
      const found = await lookUp().catch(async (error: unknown) => {
        await counters.giveBack(taken);
        throw error;
      });
      if (found !== undefined) await counters.giveBack(taken);
      return found;
    },
    pollsTooSoon: async (deviceCode) =>
      (await limits.take(key('device', 'pair', deviceCode), buckets.device.pair)) > 0,
  };
}

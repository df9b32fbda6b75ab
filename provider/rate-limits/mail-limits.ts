import { emailKey } from '../ports/account-store.ts';
import type { Counters } from './counters.ts';
import { buckets } from './rules.ts';

export interface MailLimits {
  /**
   * Counts a mail before it is sent for the first time.
   *
   * @returns `allowed`; `too_many` when the address got too many, so the mail must not be sent; or the milliseconds after
   *   which it may be tried, when too many were sent in total
   */
  count(to: string): Promise<'allowed' | 'too_many' | number>;
}

/** Limits for mails. The process that sends them counts them, so they add nothing to the time of an answer. */
export function createMailLimits({
  counters,
}: {
  counters: Pick<Counters, 'limits' | 'key' | 'scaled'>;
}): MailLimits {
  const { limits, key, scaled } = counters;
  const { recipient, all } = buckets.mail;
  return {
    count: async (to) => {
      const everywhere = key('mail', 'all', 'everywhere');
      const waitMs = await limits.take(everywhere, scaled(all));
      if (waitMs > 0) return waitMs;
      if ((await limits.take(key('mail', 'recipient', emailKey(to)), recipient)) === 0) return 'allowed';
      await limits.giveBack(everywhere, scaled(all));
      return 'too_many';
    },
  };
}

import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { OutgoingMail, SendResult } from '../ports/mail-sender.ts';
import type { ClaimedMail, Mails } from '../ports/mails.ts';
import { createPollingLoop, type PollingLoop } from './polling-loop.ts';
import { type RetryPolicy, reasonOf, retryDelayMs } from './relay.ts';

interface Tuning {
  /** At most this many mails are sent at once. */
  batch: number;
  /** The duration of a claim in milliseconds. It must be longer than the sending of one mail. */
  leaseMs: number;
  retry: RetryPolicy;
  minIdleMs: number;
  maxIdleMs: number | (() => number);
}

const defaults: Tuning = {
  batch: 8,
  leaseMs: 60_000,
  retry: { baseMs: 5000, maxMs: 900_000 },
  minIdleMs: 250,
  maxIdleMs: 10_000,
};

export interface MailDeliveryDeps extends Partial<Tuning> {
  mails: Pick<Mails, 'claim' | 'remove' | 'postpone' | 'markFailed'>;
  /** Gives the content, in the language of the person. Throws when this process can't read or render it. */
  render(mail: ClaimedMail): OutgoingMail;
  /** Must end in less than `leaseMs`. */
  send(mail: OutgoingMail): Promise<SendResult>;
  /** Whether the address must get no mail, because an earlier one bounced or was called unwanted. */
  isSuppressed(to: string): Promise<boolean>;
  /** Counts a mail before its first try: see `rate-limits/mail-limits.ts`. */
  count(to: string): Promise<'allowed' | 'too_many' | number>;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics?: {
    mails(outcome: 'sent' | 'failed' | 'set_aside' | 'dropped' | 'suppressed'): void;
    /** The time from the writing of a mail until the server has taken it. */
    delay(seconds: number): void;
  };
}

type Options = MailDeliveryDeps & Tuning;

/**
 * Sends mails at least once. A mail that fails is tried again until it expires. Then it is set aside, and so is one that
 * the server refuses. Any number of processes may run it.
 */
export function createMailDelivery(deps: MailDeliveryDeps): PollingLoop {
  const options: Options = { ...defaults, ...deps };
  const { mails, clock, logger, batch, leaseMs, minIdleMs, maxIdleMs } = options;
  const deliver = async (mail: ClaimedMail) => {
    try {
      await deliverOne(options, mail);
    } catch (error) {
      // The claim expires, so the mail is sent again.
      logger.warn({ err: error, mailId: mail.id }, 'result of a mail not stored');
    }
  };
  return createPollingLoop({
    step: async () => {
      const claimed = await mails.claim(batch, clock.now(), leaseMs);
      await Promise.all(claimed.map(deliver));
      return claimed.length > 0;
    },
    failed: (error) => logger.warn({ err: error }, 'mails cannot be read, trying again'),
    minIdleMs,
    maxIdleMs,
  });
}

async function deliverOne(options: Options, mail: ClaimedMail): Promise<void> {
  const { mails, clock, logger, metrics } = options;
  const fields = { mailId: mail.id, kind: mail.kind, accountId: mail.accountId };
  if (mail.expiresAt <= clock.now())
    return fail(options, mail, { outcome: 'rejected', reason: expired(mail) });
  let outgoing: OutgoingMail;
  try {
    outgoing = options.render(mail);
  } catch (error) {
    return fail(options, mail, { outcome: 'failed', reason: reasonOf(error) });
  }
  if (await options.isSuppressed(outgoing.to)) {
    await mails.remove(mail.id);
    metrics?.mails('suppressed');
    logger.warn(fields, 'mail dropped, its address is suppressed');
    return;
  }
  const counted = mail.attempts > 0 ? 'allowed' : await options.count(outgoing.to);
  if (counted === 'too_many') {
    await mails.remove(mail.id);
    metrics?.mails('dropped');
    logger.warn(fields, 'mail dropped, its address got too many');
    return;
  }
  if (counted !== 'allowed') return mails.postpone(mail.id, clock.now() + counted);
  const result = await options
    .send(outgoing)
    .catch((error: unknown): SendResult => ({ outcome: 'failed', reason: reasonOf(error) }));
  // The answer of a server often repeats the address. The log and the list of failed mails do not need it.
  if (result.outcome !== 'sent')
    return fail(options, mail, {
      outcome: result.outcome,
      reason: result.reason.replaceAll(outgoing.to, '<address>'),
    });
  await mails.remove(mail.id);
  metrics?.mails('sent');
  metrics?.delay(Math.max(0, clock.now() - mail.createdAt) / 1000);
  logger.info({ ...fields, attempts: mail.attempts + 1 }, 'mail sent');
}

async function fail(
  { mails, clock, logger, metrics, retry }: Options,
  mail: ClaimedMail,
  result: Exclude<SendResult, { outcome: 'sent' }>,
): Promise<void> {
  const reason = result.reason.slice(0, 300);
  const retryAt = clock.now() + retryDelayMs(mail.attempts, retry);
  const isOver = result.outcome === 'rejected' || retryAt >= mail.expiresAt;
  await mails.markFailed(mail.id, reason, isOver ? undefined : retryAt);
  metrics?.mails(isOver ? 'set_aside' : 'failed');
  const fields = { mailId: mail.id, kind: mail.kind, accountId: mail.accountId };
  const attempts = mail.attempts + 1;
  if (isOver) logger.warn({ ...fields, attempts, reason }, 'mail set aside');
  else logger.warn({ ...fields, attempts, reason }, 'mail not sent, trying again');
}

const expired = ({ reason }: ClaimedMail) =>
  `it expired before it could be sent${reason === undefined ? '' : `; the last try: ${reason}`}`;

import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { emailKey } from '../ports/account-store.ts';
import type { FeedbackMessage, MailFeedback, MailReport } from '../ports/mail-feedback.ts';
import type { MailSuppressions } from '../ports/mail-suppressions.ts';
import { createPollingLoop, type PollingLoop } from './polling-loop.ts';

/**
 * Proves that this mail to this address is ours. It is sent to the mail service with the mail, and comes back with a report
 * about it.
 *
 * @returns 128 bits, base64url
 */
export const mailProof = (keys: Pick<ServerKeys, 'tag'>, id: string, to: string): string =>
  keys.tag(label, proven(id, to));

const label = 'mail report';
const proven = (id: string, to: string) => `${id} ${emailKey(to)}`;

/** An address may be given to another person or repaired, and the list must not grow without end. */
const suppressedMs = 365 * 86_400_000;

export type ReportOutcome = 'bounce' | 'complaint' | 'ignored' | 'foreign' | 'unreadable';

export interface MailFeedbackDeps {
  feedback: Pick<MailFeedback, 'receive' | 'remove'>;
  suppressions: Pick<MailSuppressions, 'add'>;
  keys: Pick<ServerKeys, 'checkTag'>;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics?: { reports(outcome: ReportOutcome): void };
  minIdleMs?: number;
  maxIdleMs?: number;
}

/**
 * Reads the reports of the mail service, and suppresses addresses that bounced for a lasting reason or complained. A report
 * without a valid proof is about a mail of another program, or forged, and is dropped. Messages that can't be read stay in
 * the queue, whose redrive policy moves them to its dead-letter queue. Any number of processes may run it.
 */
export function createMailFeedback(deps: MailFeedbackDeps): PollingLoop {
  const { feedback, logger, minIdleMs = 1000, maxIdleMs = 60_000 } = deps;
  let stopping = new AbortController();
  const loop = createPollingLoop({
    step: async () => {
      const messages = await feedback.receive(stopping.signal);
      const done: string[] = [];
      for (const message of messages) if (await handle(deps, message)) done.push(message.receipt);
      if (done.length > 0) await feedback.remove(done);
      return messages.length > 0;
    },
    failed: (error) => {
      if (!stopping.signal.aborted)
        logger.warn({ err: error }, 'reports about mails cannot be read, trying again');
    },
    minIdleMs,
    maxIdleMs,
  });
  return {
    ...loop,
    start: () => {
      if (stopping.signal.aborted) stopping = new AbortController();
      loop.start();
    },
    stop: () => {
      stopping.abort();
      return loop.stop();
    },
  };
}

/** Gives true when the message is done with. Throws when the store fails; then the message is received again. */
async function handle(deps: MailFeedbackDeps, { report }: FeedbackMessage): Promise<boolean> {
  const { suppressions, clock, logger, metrics } = deps;
  const outcome = outcomeOf(deps, report);
  if (outcome === 'bounce' || outcome === 'complaint') {
    const at = clock.now();
    await suppressions.add({ address: report?.to ?? '', reason: outcome, at, expiresAt: at + suppressedMs });
    logger.warn({ mailId: report?.mailId, reason: outcome }, 'address suppressed, it gets no more mail');
  }
  if (outcome === 'unreadable') logger.warn({}, 'message in the queue of reports about mails cannot be read');
  metrics?.reports(outcome);
  return outcome !== 'unreadable';
}

function outcomeOf({ keys }: MailFeedbackDeps, report: MailReport | undefined): ReportOutcome {
  if (report === undefined) return 'unreadable';
  const { kind, mailId, proof, to } = report;
  if (mailId === undefined || proof === undefined || to === undefined) return 'foreign';
  if (!keys.checkTag(label, proven(mailId, to), proof)) return 'foreign';
  return kind === 'other' ? 'ignored' : kind;
}

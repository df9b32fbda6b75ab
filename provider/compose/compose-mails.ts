import { domainToASCII } from 'node:url';
import { emailAddress } from '../accounts/email.ts';
import { createWriteMail, type WriteMail } from '../accounts/mails.ts';
import type { Config } from '../config/schema.ts';
import { createMailDelivery, type MailDeliveryDeps } from '../events/mail-delivery.ts';
import { createMailFeedback, mailProof } from '../events/mail-feedback.ts';
import type { PollingLoop } from '../events/polling-loop.ts';
import type { MailRenderer } from '../interactions/mail-renderer.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { openMail } from '../lib/mail-content.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { MailSender } from '../ports/mail-sender.ts';
import { createCounters } from '../rate-limits/counters.ts';
import { createMailLimits } from '../rate-limits/mail-limits.ts';
import { mailMetrics } from './measurements.ts';
import type { Ports } from './ports.ts';

export const isMailOn = ({ mail }: Pick<Config, 'mail'>): boolean =>
  mail !== undefined && mail.kind !== 'off';

/** Assembles what writes mails. Undefined when mail is off. */
export const composeWriteMail = (
  config: Pick<Config, 'mail'>,
  keys: Pick<ServerKeys, 'seal'>,
  clock: Clock,
): WriteMail | undefined => (isMailOn(config) ? createWriteMail({ keys, clock }) : undefined);

export interface MailDeliveryParts {
  config: Pick<Config, 'issuer' | 'limitsPercent'>;
  ports: Pick<Ports, 'mails' | 'mailSender' | 'mailSuppressions' | 'mailFeedback' | 'limits' | 'localLimits'>;
  /** The keys of the server secrets, which exist when the first mail is sent. */
  keys(): ServerKeys;
  renderer: MailRenderer;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Pauses that differ from their defaults. */
  pauses?: Pick<MailDeliveryDeps, 'minIdleMs' | 'maxIdleMs'>;
}

/** Assembles what sends the mails that wait, and reads what became of them. Undefined when mail is off. */
export function composeMailDelivery(parts: MailDeliveryParts): PollingLoop | undefined {
  const { config, ports, keys, renderer, clock, logger, metrics, pauses } = parts;
  const { mails, mailSender, mailSuppressions, limits, localLimits } = ports;
  if (mailSender === undefined) return undefined;
  const counters = createCounters({
    shared: limits,
    local: localLimits,
    keys: { lookupHashes: (label, value) => keys().lookupHashes(label, value) },
    percent: config.limitsPercent,
    clock,
    logger,
    metrics,
  });
  const told = mailMetrics(metrics);
  const delivery = createMailDelivery({
    mails,
    render: ({ id, kind, content }) => {
      const opened = openMail(keys(), id, content);
      const rendered = renderer.render(kind, opened, config.issuer);
      return { id, ...rendered, proof: mailProof(keys(), id, rendered.to) };
    },
    send: (mail) => mailSender.send(mail),
    isSuppressed: async (to) => (await mailSuppressions.find(to, clock.now())) !== undefined,
    count: createMailLimits({ counters }).count,
    clock,
    logger,
    metrics: told,
    ...pauses,
  });
  return withFeedback(delivery, { ...parts, told });
}

/** Both loops as one, which begin and end together. */
function withFeedback(
  delivery: PollingLoop,
  { ports, keys, clock, logger, told }: MailDeliveryParts & { told: ReturnType<typeof mailMetrics> },
): PollingLoop {
  if (ports.mailFeedback === undefined) return delivery;
  const feedback = createMailFeedback({
    feedback: ports.mailFeedback,
    suppressions: ports.mailSuppressions,
    keys: { checkTag: (label, value, tag) => keys().checkTag(label, value, tag) },
    clock,
    logger,
    metrics: told,
  });
  return {
    ...delivery,
    start: () => {
      delivery.start();
      feedback.start();
    },
    stop: async () => {
      await Promise.all([delivery.stop(), feedback.stop()]);
    },
  };
}

/**
 * The same sender behind our own check of the address: exactly one, with at most 254 characters. Libraries have read two
 * addresses out of one text before. The domain is given in ASCII, as mail servers know it.
 */
export function checkedMailSender(sender: MailSender): MailSender {
  return {
    send: async (mail) => {
      const checked = emailAddress.safeParse(mail.to);
      if (!checked.success) return { outcome: 'rejected', reason: 'the address is no email address' };
      const at = checked.data.lastIndexOf('@');
      const domain = domainToASCII(checked.data.slice(at + 1)).replace(/\.$/, '');
      return sender.send({ ...mail, to: `${checked.data.slice(0, at)}@${domain}` });
    },
  };
}

import { domainToASCII } from 'node:url';
import { emailAddress } from '../accounts/email.ts';
import { createWriteMail, type WriteMail } from '../accounts/mails.ts';
import type { Config } from '../config/schema.ts';
import { createMailDelivery, type MailDeliveryDeps } from '../events/mail-delivery.ts';
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
  ports: Pick<Ports, 'mails' | 'mailSender' | 'limits' | 'localLimits'>;
  /** The keys of the server secrets, which exist when the first mail is sent. */
  keys(): ServerKeys;
  renderer: MailRenderer;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Pauses that differ from their defaults. */
  pauses?: Pick<MailDeliveryDeps, 'minIdleMs' | 'maxIdleMs'>;
}

/** Assembles what sends the mails that wait. Undefined when mail is off. */
export function composeMailDelivery(parts: MailDeliveryParts): PollingLoop | undefined {
  const { config, ports, keys, renderer, clock, logger, metrics, pauses } = parts;
  const { mails, mailSender, limits, localLimits } = ports;
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
  return createMailDelivery({
    mails,
    render: ({ id, kind, content }) => {
      const opened = openMail(keys(), id, content);
      return { id, ...renderer.render(kind, opened, config.issuer) };
    },
    send: (mail) => mailSender.send(mail),
    count: createMailLimits({ counters }).count,
    clock,
    logger,
    metrics: mailMetrics(metrics),
    ...pauses,
  });
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

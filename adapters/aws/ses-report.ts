import { z } from 'zod';
import type { MailReport } from '../../provider/ports/mail-feedback.ts';

/** An event of SES, as its documentation "Contents of event data" describes it. All other members are ignored. */
const sesEvent = z.object({
  eventType: z.string(),
  mail: z.object({
    destination: z.array(z.string()),
    tags: z.record(z.string(), z.array(z.string())).optional(),
  }),
  bounce: z.object({ bounceType: z.string() }).optional(),
  complaint: z.object({ complaintFeedbackType: z.string().nullish() }).optional(),
});

/** EventBridge puts the event into `detail`. */
const envelope = z.object({ source: z.literal('aws.ses'), detail: z.unknown() });

/** SNS puts the text of the event into `Message`, unless the subscription delivers messages raw. */
const notification = z.object({ Type: z.literal('Notification'), Message: z.string() });

/**
 * Reads a message of a queue: an event of SES by an EventBridge rule, or by an SNS topic, raw or not.
 *
 * @returns undefined for any other text
 */
export function readSesReport(body: string): MailReport | undefined {
  const read = sesEvent.safeParse(unwrapped(jsonOf(body)));
  if (!read.success) return undefined;
  const { mail, ...event } = read.data;
  const only = (list: string[] | undefined) => (list?.length === 1 ? list[0] : undefined);
  return {
    kind: kindOf(event),
    mailId: only(mail.tags?.mail),
    proof: only(mail.tags?.proof),
    // The addresses of a bounce may be others, for example where a mailbox forwards to.
    to: only(mail.destination),
  };
}

function kindOf({
  eventType,
  bounce,
  complaint,
}: Omit<z.infer<typeof sesEvent>, 'mail'>): MailReport['kind'] {
  if (eventType === 'Bounce') return bounce?.bounceType === 'Permanent' ? 'bounce' : 'other';
  // `not-spam`: the recipient takes an earlier complaint back.
  if (eventType === 'Complaint')
    return complaint?.complaintFeedbackType === 'not-spam' ? 'other' : 'complaint';
  return 'other';
}

function unwrapped(message: unknown): unknown {
  const bridged = envelope.safeParse(message);
  if (bridged.success) return bridged.data.detail;
  const notified = notification.safeParse(message);
  return notified.success ? jsonOf(notified.data.Message) : message;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

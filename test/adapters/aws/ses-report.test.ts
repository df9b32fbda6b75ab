import { describe, expect, test } from '@jest/globals';
import { readSesReport } from '../../../adapters/aws/ses-report.ts';
import {
  type SesMail,
  sesBounce,
  sesComplaint,
  sesDelivery,
  viaEventBridge,
  viaSns,
} from '../../support/ses-reports.ts';

const to = 'john@example.com';
const mail: SesMail = { to, tags: { mail: ['mail_1'], proof: ['abc'] } };
const known = { mailId: 'mail_1', proof: 'abc', to };

describe('readSesReport', () => {
  test.each([
    ['EventBridge', viaEventBridge],
    ['SNS', viaSns],
    ['SNS, raw', JSON.stringify],
  ] as const)('reads bounces and complaints by %s', (_, wrap) => {
    expect(readSesReport(wrap(sesBounce(mail)))).toEqual({ kind: 'bounce', ...known });
    expect(readSesReport(wrap(sesComplaint(mail)))).toEqual({ kind: 'complaint', ...known });
  });

  test('a bounce that may pass, a complaint that is taken back and all other events are neither', () => {
    const events = [
      sesBounce(mail, 'Transient'),
      sesBounce(mail, 'Undetermined'),
      sesComplaint(mail, 'not-spam'),
      sesDelivery(mail),
    ];
    for (const event of events)
      expect(readSesReport(viaEventBridge(event))).toEqual({ kind: 'other', ...known });
    expect(readSesReport(viaEventBridge(sesComplaint(mail, null)))).toMatchObject({ kind: 'complaint' });
  });

  test('the address is the one that the mail was sent to, not the one that a mailbox forwards to', () => {
    const event = sesBounce(mail, 'Permanent', 'elsewhere@example.net');
    expect(readSesReport(viaEventBridge(event))).toMatchObject({ to });
  });

  test('a mail to several addresses, or with other tags, has no address or no proof', () => {
    const several = sesBounce({ ...mail, to: [to, 'jane@example.com'] });
    expect(readSesReport(viaEventBridge(several))).toEqual({ kind: 'bounce', ...known, to: undefined });
    const twice = sesBounce({ to, tags: { mail: ['mail_1', 'mail_2'] } });
    expect(readSesReport(viaEventBridge(twice))).toEqual({
      kind: 'bounce',
      mailId: undefined,
      proof: undefined,
      to,
    });
  });

  test('any other text is unreadable', () => {
    const texts = [
      '',
      'Successfully validated SNS topic for Amazon SES event publishing.',
      '{',
      'null',
      '[]',
      '"text"',
      '{"eventType":"Bounce"}',
      '{"eventType":["Bounce"],"mail":{"destination":["a@example.com"]}}',
      '{"eventType":"Bounce","mail":{"destination":"a@example.com"}}',
      '{"eventType":"Bounce","mail":{"destination":[],"tags":{"mail":"mail_1"}}}',
      viaSns(['no event']),
      JSON.stringify({
        Type: 'SubscriptionConfirmation',
        Message: 'You have chosen …',
        SubscribeURL: 'https://…',
      }),
      JSON.stringify({ source: 'gatehouse', detail: sesBounce(mail) }),
      viaEventBridge({ detail: sesBounce(mail) }),
      '['.repeat(200_000),
    ];
    expect(texts.filter((text) => readSesReport(text) !== undefined)).toEqual([]);
  });
});

/** What a report of SES says about a mail. The tags are those that were sent with it. */
export interface SesMail {
  to: string | string[];
  tags?: Record<string, string[]>;
}

const mailOf = ({ to, tags = {} }: SesMail) => ({
  timestamp: '2026-01-01T12:00:00.000Z',
  source: 'Example Login <login@example.com>',
  sourceArn: 'arn:aws:ses:eu-central-1:123456789012:identity/example.com',
  sendingAccountId: '123456789012',
  messageId: '0107019b79ab5ac0-b7b4a8d9-7d5c-4a4c-9b63-5bbbf1ed9d25-000000',
  destination: [to].flat(),
  headersTruncated: false,
  headers: [{ name: 'To', value: [to].flat().join(', ') }],
  commonHeaders: { to: [to].flat(), subject: 'Example: your password was changed' },
  tags: { 'ses:configuration-set': ['gatehouse'], 'ses:caller-identity': ['gatehouse-worker'], ...tags },
});

/** An event of SES, in the form that its documentation gives. */
export const sesBounce = (mail: SesMail, bounceType = 'Permanent', emailAddress = 'someone@example.net') => ({
  eventType: 'Bounce',
  bounce: {
    feedbackId: '0107019b79ab5ac0-1c9d6a2a',
    bounceType,
    bounceSubType: 'General',
    bouncedRecipients: [
      {
        emailAddress,
        action: 'failed',
        status: '5.1.1',
        diagnosticCode: 'smtp; 550 5.1.1 user unknown',
      },
    ],
    timestamp: '2026-01-01T12:00:05.000Z',
    reportingMTA: 'dsn; a8-53.smtp-out.eu-central-1.amazonses.com',
  },
  mail: mailOf(mail),
});

export const sesComplaint = (mail: SesMail, complaintFeedbackType: string | null = 'abuse') => ({
  eventType: 'Complaint',
  complaint: {
    feedbackId: '0107019b79ab5ac0-4be9d0f2',
    complaintSubType: null,
    complainedRecipients: [{ emailAddress: 'someone@example.net' }],
    timestamp: '2026-01-01T12:00:05.000Z',
    ...(complaintFeedbackType === null ? {} : { complaintFeedbackType }),
  },
  mail: mailOf(mail),
});

export const sesDelivery = (mail: SesMail) => ({
  eventType: 'Delivery',
  mail: mailOf(mail),
  delivery: { recipients: [mail.to].flat(), smtpResponse: '250 2.6.0 accepted' },
});

/** The message that a rule of EventBridge puts into a queue. */
export const viaEventBridge = (event: object): string =>
  JSON.stringify({
    version: '0',
    id: '9f9b2a2e-0f4c-4b0d-9a0e-1f7d0f5d0a01',
    'detail-type': 'Email Bounced',
    source: 'aws.ses',
    account: '123456789012',
    time: '2026-01-01T12:00:06Z',
    region: 'eu-central-1',
    resources: ['arn:aws:ses:eu-central-1:123456789012:configuration-set/gatehouse'],
    detail: event,
  });

/** The message that a subscription of SNS puts into a queue, unless it delivers messages raw. */
export const viaSns = (event: object): string =>
  JSON.stringify({
    Type: 'Notification',
    MessageId: '1d5e8b1c-6c0c-5f4e-8a0f-d1a4a5b2c3d4',
    TopicArn: 'arn:aws:sns:eu-central-1:123456789012:mail-reports',
    Subject: 'Amazon SES Email Event Notification',
    Message: JSON.stringify(event),
    Timestamp: '2026-01-01T12:00:06.000Z',
    SignatureVersion: '1',
    Signature: 'bm90IGNoZWNrZWQ=',
  });

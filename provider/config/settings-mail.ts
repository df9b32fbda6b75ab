import { readMailFrom, readMailTransport, readQueueUrl } from '../lib/mail-transport.ts';
import type { SettingTable } from './setting.ts';
import { matching, reference, value } from './values.ts';

/** Settings about the mails that people get. */
export const mailSettings = {
  mail: {
    name: 'GATEHOUSE_MAIL',
    description:
      'How mails leave: `off`, the URL of an SMTP server, or `ses` for Amazon SES, with a region if it is another one than that of the process. `smtp://` requires STARTTLS (port 587), except on this machine; `smtps://` begins with TLS (port 465). All processes need the same: servers write mails, and the process that does the jobs sends them. Unset, it is off; `gatehouse dev` then writes mails into a folder. See [`mail.md`](mail.md).',
    schema: value(
      'off, ses, ses:REGION, or a URL like smtps://smtp.example.com:465 without user name and password (those are in GATEHOUSE_SMTP_USER and GATEHOUSE_SMTP_PASSWORD)',
      readMailTransport,
    ),
    example: 'ses:eu-central-1',
  },
  mailFrom: {
    name: 'GATEHOUSE_MAIL_FROM',
    description: 'The sender of mails. With SES, its domain is a verified identity.',
    schema: value('an address like login@example.com, or Name <login@example.com>', readMailFrom),
    example: 'Example Login <login@example.com>',
  },
  sesConfigurationSet: {
    name: 'GATEHOUSE_SES_CONFIGURATION_SET',
    description:
      'The configuration set of Amazon SES that mails are sent with. It decides where SES reports bounces and complaints. Unset, SES takes the default one of the identity, if there is one. See [`mail.md`](mail.md#bounces-and-complaints).',
    schema: matching('1 to 64 letters, digits, _ and -', /^[A-Za-z0-9_-]{1,64}$/),
    example: 'gatehouse',
  },
  mailFeedbackQueue: {
    name: 'GATEHOUSE_MAIL_FEEDBACK_QUEUE',
    description:
      'The URL of the SQS queue with the bounces and complaints that Amazon SES reports. The process that does the jobs reads it. An address that bounced for a lasting reason, or that complained, gets no mail for a year. Unset, Gatehouse does not learn of them.',
    schema: value(
      'the https URL of an SQS queue, like https://sqs.eu-central-1.amazonaws.com/111122223333/gatehouse-mail-reports',
      readQueueUrl,
    ),
    example: 'https://sqs.eu-central-1.amazonaws.com/111122223333/gatehouse-mail-reports',
  },
  smtpUser: {
    name: 'GATEHOUSE_SMTP_USER',
    description: 'The user name at the SMTP server. Unset for a server that wants none.',
    schema: matching('1 to 200 characters without control characters', /^\P{Cc}{1,200}$/u),
    example: 'gatehouse',
  },
  smtpPassword: {
    name: 'GATEHOUSE_SMTP_PASSWORD',
    description: 'Where the password of GATEHOUSE_SMTP_USER is. It is read again for new connections.',
    schema: reference('file', 'env', 'secretsmanager'),
    reference: true,
    example: 'file:/run/secrets/smtp-password',
  },
} satisfies SettingTable;

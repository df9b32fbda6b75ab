import { SESv2Client, type SESv2ClientConfig, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { MailFrom } from '../../provider/lib/mail-transport.ts';
import {
  isOneAddress,
  type MailSender,
  type OutgoingMail,
  type SendResult,
  severalAddresses,
} from '../../provider/ports/mail-sender.ts';
import { type AwsError, errorText, identityAdvice } from './errors.ts';

export interface SesMailSenderOptions {
  from: MailFrom;
  /** The default is the region of the environment. */
  region?: string | undefined;
  /** The configuration set, which decides where SES reports what became of a mail. The default is that of the identity. */
  configurationSet?: string | undefined;
  /** Settings of the AWS client. The default is the environment and the identity of the pod. */
  client?: SESv2ClientConfig;
  /** A call that has no answer after this time has failed, in milliseconds. The default is 10,000. */
  callMs?: number;
}

/** Errors that concern this mail. All others end when an operator changes something, or with time. */
const refusals = new Set(['BadRequestException', 'MessageRejected']);

/** Sends with Amazon SES. The client does not retry: the caller sends mails that failed again. */
export class SesMailSender implements MailSender {
  readonly #client: SESv2Client;
  readonly #from: string;
  readonly #configurationSet: string | undefined;

  constructor({ from, region, configurationSet, client, callMs = 10_000 }: SesMailSenderOptions) {
    this.#client = new SESv2Client({
      ...client,
      ...(region !== undefined && { region }),
      maxAttempts: 1,
      requestHandler: { connectionTimeout: callMs, requestTimeout: callMs, throwOnRequestTimeout: true },
    });
    this.#configurationSet = configurationSet;
    // SES reads this as a header. Other characters than ASCII are encoded (RFC 2047).
    const { name, address } = from;
    this.#from =
      name === undefined ? address : `=?UTF-8?B?${Buffer.from(name).toString('base64')}?= <${address}>`;
  }

  async send({ id, to, subject, text, html, proof }: OutgoingMail): Promise<SendResult> {
    if (!isOneAddress(to)) return severalAddresses;
    const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
    const command = new SendEmailCommand({
      FromEmailAddress: this.#from,
      Destination: { ToAddresses: [to] },
      Content: {
        Simple: {
          Subject: utf8(subject),
          Body: { Text: utf8(text), Html: utf8(html) },
          Headers: [{ Name: 'Auto-Submitted', Value: 'auto-generated' }],
        },
      },
      EmailTags: [
        { Name: 'mail', Value: id },
        ...(proof === undefined ? [] : [{ Name: 'proof', Value: proof }]),
      ],
      ConfigurationSetName: this.#configurationSet,
    });
    try {
      const { MessageId } = await this.#client.send(command);
      return { outcome: 'sent', answer: `accepted as ${MessageId}` };
    } catch (error) {
      const { name } = error as AwsError;
      const reason = errorText(error);
      const advice = adviceOn(error as AwsError);
      // A sender that is not verified is refused with the same error as a bad recipient.
      const isRefusal = refusals.has(name) && !/not verified|sending paused/i.test(reason);
      return { outcome: isRefusal ? 'rejected' : 'failed', reason, advice };
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

function adviceOn(error: AwsError): string | undefined {
  if (/not verified/i.test(error.message))
    return 'Verify the domain of GATEHOUSE_MAIL_FROM as an identity in SES, in this region. While the account is in the sandbox, each recipient must be verified too.';
  switch (error.name) {
    case 'AccessDeniedException':
      return 'Allow ses:SendEmail for the identity of GATEHOUSE_MAIL_FROM and for the configuration set: docs/mail.md has the policy.';
    case 'AccountSuspendedException':
    case 'SendingPausedException':
      return 'SES does not let this account send now: see Account dashboard in the console of SES.';
    case 'TooManyRequestsException':
    case 'LimitExceededException':
      return 'The quota of SES is used up: ask AWS for a higher one.';
    default:
      return identityAdvice(error);
  }
}

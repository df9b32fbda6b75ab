import { createTransport } from 'nodemailer';
import type { MailFrom, SmtpServer } from '../../provider/lib/mail-transport.ts';
import {
  isOneAddress,
  type MailSender,
  type OutgoingMail,
  type SendResult,
  severalAddresses,
} from '../../provider/ports/mail-sender.ts';

export interface SmtpMailSenderOptions {
  server: SmtpServer;
  from: MailFrom;
  /** Asked for each connection. Undefined for a server that wants none. */
  credential?: (() => Promise<{ user: string; password: string }>) | undefined;
  /** Certificate authorities in PEM, instead of those that Node trusts. */
  ca?: string | undefined;
  /** The longest wait for one answer of the server, in milliseconds. The default is 10,000. */
  answerMs?: number | undefined;
  /** All of one mail ends after this time, in milliseconds. The default is 40,000. */
  sendMs?: number | undefined;
}

/** An error of nodemailer. */
interface SmtpError extends Error {
  code?: string;
  command?: string;
  /** The code of the server's answer (RFC 5321 §4.2). */
  responseCode?: number;
}

/**
 * Sends by SMTP (RFC 5321), with one connection for each mail. TLS is required unless the server is on loopback. The
 * library gets addresses as objects and may read no files and URLs.
 */
export class SmtpMailSender implements MailSender {
  readonly #options: SmtpMailSenderOptions;

  constructor(options: SmtpMailSenderOptions) {
    this.#options = options;
  }

  async send({ id, to, subject, text, html }: OutgoingMail): Promise<SendResult> {
    const { from, sendMs = 40_000 } = this.#options;
    if (!isOneAddress(to)) return severalAddresses;
    try {
      const transport = await this.#transport();
      const sent = await transport.sendMail({
        from: { name: from.name ?? '', address: from.address },
        to: { name: '', address: to },
        // A text here would be read as a list of addresses.
        envelope: { from: [{ name: '', address: from.address }], to: [{ name: '', address: to }] },
        messageId: `<${id}@${from.address.split('@')[1]}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        subject,
        text,
        html,
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: AbortSignal.timeout(sendMs),
      });
      return { outcome: 'sent', answer: String(sent.response) };
    } catch (error) {
      return resultOf(error as SmtpError);
    }
  }

  async #transport() {
    const { server, credential, ca, answerMs = 10_000 } = this.#options;
    const login = await credential?.();
    return createTransport({
      host: server.host,
      port: server.port,
      secure: server.tls === 'first',
      requireTLS: server.tls === 'upgrade',
      ignoreTLS: server.tls === 'none',
      tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
      ...(login ? { auth: { user: login.user, pass: login.password } } : {}),
      connectionTimeout: answerMs,
      greetingTimeout: answerMs,
      socketTimeout: answerMs,
      dnsTimeout: answerMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
}

/**
 * Only a 5xx answer to the recipient or to the content is about this mail (RFC 5321 §4.2.1). Everything else ends when an
 * operator changes something, so the mail is tried again.
 */
function resultOf(error: SmtpError): SendResult {
  const reason = error.message.split('\n')[0] ?? '';
  const isAboutMail = error.command === 'RCPT TO' || error.command === 'DATA';
  if (isAboutMail && (error.responseCode ?? 0) >= 500) return { outcome: 'rejected', reason };
  return { outcome: 'failed', reason, advice: adviceOn(error) };
}

function adviceOn({ code, command, message }: SmtpError): string | undefined {
  if (/certificate|self-signed|altnames/i.test(message))
    return 'The certificate of the server is not trusted or is for another name: check the host name in GATEHOUSE_MAIL. NODE_EXTRA_CA_CERTS names further authorities.';
  switch (code) {
    case 'EAUTH':
      return 'Check GATEHOUSE_SMTP_USER and GATEHOUSE_SMTP_PASSWORD.';
    case 'ETLS':
      return 'The server offers no STARTTLS on this port. Use smtps:// for a port that begins with TLS, such as 465.';
    case 'EDNS':
      return 'Check the host name in GATEHOUSE_MAIL.';
    case 'ECONNECTION':
    case 'ESOCKET':
    case 'ETIMEDOUT':
      return 'Check host and port in GATEHOUSE_MAIL, and that network rules let this process reach them.';
    case 'EENVELOPE':
      return command === 'MAIL FROM'
        ? 'The server does not accept the sender: check GATEHOUSE_MAIL_FROM, and whether the server wants GATEHOUSE_SMTP_USER.'
        : undefined;
    default:
      return undefined;
  }
}

/** A mail with its content, for one person. */
export interface OutgoingMail {
  /** `mail_…`; the same in every try. Receivers can recognize a mail by it that they got twice. */
  id: string;
  /** One address. */
  to: string;
  subject: string;
  text: string;
  html: string;
  /** For services that report what became of a mail: they give it back with the report. At most 100 of A-Z, a-z, 0-9, _ and -. */
  proof?: string | undefined;
}

export type SendResult =
  /** The server has taken over the mail. `answer` is what it said. */
  | { outcome: 'sent'; answer: string }
  /** A later try may succeed. */
  | { outcome: 'failed'; reason: string; advice?: string | undefined }
  /** The server will never take this mail: the address does not exist, or the content is refused. */
  | { outcome: 'rejected'; reason: string; advice?: string | undefined };

/**
 * Sends mails from one address, that of the setting. Guarantees, on every implementation:
 * - a mail goes to its one address and to no other, whatever text the address or the content holds. A text that is not one
 *   address by `isOneAddress` is rejected, before a library reads it. No text of a person becomes a header, a file name or an address of a server.
 * - the content is only the given one: nothing is read from files or fetched from other servers.
 * - `send` gives a result within 45 seconds and does not throw. A reason holds no password. `advice` says what an operator can do.
 */
export interface MailSender {
  send(mail: OutgoingMail): Promise<SendResult>;
}

/**
 * Whether a text is one plain address, without a name, quotes, comments, or anything that a mail library could read as a second
 * address or a line. The rules for addresses of accounts are stricter.
 */
export const isOneAddress = (text: string): boolean =>
  text.length <= 320 && /^[^\s\p{Cc}\p{Z}<>,;:"()[\]\\@]+@[^\s\p{Cc}\p{Z}<>,;:"()[\]\\@]+$/u.test(text);

/** The result for a text that is not one address. */
export const severalAddresses: SendResult = {
  outcome: 'rejected',
  reason: 'the address is not one plain address',
};

/** What a mail service says about a mail that it has taken. */
export interface MailReport {
  /**
   * - `bounce`: the mail can't be delivered, and no later one to this address can.
   * - `complaint`: the recipient called the mail unwanted.
   * - `other`: anything else, for example a mailbox that is full today.
   */
  kind: 'bounce' | 'complaint' | 'other';
  /** The id and the proof that were sent with the mail. Undefined for a mail that was sent without them. */
  mailId?: string | undefined;
  proof?: string | undefined;
  /** The address to which the mail was sent. Undefined when there was not exactly one. */
  to?: string | undefined;
}

export interface FeedbackMessage {
  /** Names the message in `remove`. */
  receipt: string;
  /** Undefined when the message can't be read. */
  report: MailReport | undefined;
}

/**
 * Reports of a mail service about mails that it has taken, as messages that wait until they are removed. Anything may be in
 * them: a writer of the queue can write everything, so a report counts only with a proof.
 *
 * Guarantees, on every implementation:
 * - a message that was received and not removed is received again later, and holds back no other message.
 * - `receive` gives messages as soon as there are some, waits up to 20 seconds for the first one, and then gives none. When
 *   `stopping` is aborted, it ends within a second, with a result or an error.
 * - a message that can't be read is given without a report, and no message makes `receive` fail.
 * - a removed message is not received again, unless the service delivers it twice, which it rarely does.
 * - both methods throw when the service does not answer or refuses. The error says what an operator can do.
 */
export interface MailFeedback {
  receive(stopping: AbortSignal): Promise<FeedbackMessage[]>;
  remove(receipts: string[]): Promise<void>;
}

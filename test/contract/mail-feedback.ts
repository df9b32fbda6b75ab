import { describe, expect, test } from '@jest/globals';
import type { FeedbackMessage, MailFeedback, MailReport } from '../../provider/ports/mail-feedback.ts';
import { useFixture } from './fixture.ts';

export interface MailFeedbackFixture {
  /** Its messages wait until they are removed. It hides a message that was received for a second. */
  feedback: MailFeedback;
  /** Puts a report into the queue, or a message that can't be read. */
  put(report: MailReport | 'unreadable'): Promise<void>;
  /** The service does not answer any more. */
  goAway(): Promise<void>;
  close(): Promise<void>;
}

const bounce: MailReport = { kind: 'bounce', mailId: 'mail_1', proof: 'abc', to: 'john@example.com' };

/** Checks every sentence of `provider/ports/mail-feedback.ts` on what `open` gives. */
export function mailFeedbackContract(name: string, open: () => Promise<MailFeedbackFixture>): void {
  describe(`${name} keeps the contract of MailFeedback`, () => {
    const fixture = useFixture(open, 'test');
    const never = new AbortController().signal;

    /** Receives until so many messages were seen. */
    const receive = async (count: number) => {
      const found: FeedbackMessage[] = [];
      while (found.length < count) found.push(...(await fixture().feedback.receive(never)));
      return found;
    };
    const reportsOf = (messages: FeedbackMessage[]) => messages.map(({ report }) => report);

    test('gives reports as they were written, without a report what cannot be read, and nothing after their removal', async () => {
      const { feedback, put } = fixture();
      const reports: MailReport[] = [
        bounce,
        { ...bounce, kind: 'complaint' },
        { kind: 'other', to: 'jane@example.com', mailId: undefined, proof: undefined },
      ];
      for (const report of [...reports, 'unreadable'] as const) await put(report);
      const found = await receive(4);
      expect(reportsOf(found)).toEqual(expect.arrayContaining([...reports, undefined]));
      await feedback.remove(found.map(({ receipt }) => receipt));
      await put({ ...bounce, mailId: 'mail_2' });
      expect(reportsOf(await receive(1))).toEqual([{ ...bounce, mailId: 'mail_2' }]);
    });

    test('a message that was not removed is received again, and holds back no other one', async () => {
      const { feedback, put } = fixture();
      await put('unreadable');
      expect(reportsOf(await receive(1))).toEqual([undefined]);
      await put(bounce);
      const found = await receive(2);
      expect(reportsOf(found)).toEqual(expect.arrayContaining([undefined, bounce]));
      await feedback.remove(found.map(({ receipt }) => receipt));
    });

    test('many messages are removed at once', async () => {
      const { feedback, put } = fixture();
      for (let count = 0; count < 25; count += 1) await put({ ...bounce, mailId: `mail_${count}` });
      const found = await receive(25);
      await feedback.remove(found.map(({ receipt }) => receipt));
      await put(bounce);
      expect(reportsOf(await receive(1))).toEqual([bounce]);
    });

    test('a wait ends when the process stops', async () => {
      const stopping = new AbortController();
      const waiting = fixture().feedback.receive(stopping.signal);
      stopping.abort();
      const ended = await waiting.then(
        (messages) => messages,
        () => [],
      );
      expect(ended).toEqual([]);
    });

    test('a service that does not answer is an error', async () => {
      const { feedback, goAway } = fixture();
      await goAway();
      await expect(feedback.receive(never)).rejects.toThrow();
      await expect(feedback.remove(['receipt'])).rejects.toThrow();
    });
  });
}

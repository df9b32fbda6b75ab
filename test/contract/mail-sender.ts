import { beforeAll, describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { MailSender, OutgoingMail } from '../../provider/ports/mail-sender.ts';
import { useFixture } from './fixture.ts';

/** A mail as its receiver sees it. */
export interface ArrivedMail {
  to: string[];
  subject: string;
  text: string;
  html: string;
}

export interface MailSenderFixture {
  sender: MailSender;
  /** Gives the mail with this id, once it has arrived. */
  arrived(id: string): Promise<ArrivedMail>;
  /** Makes the receiver give this answer for mails to this address. */
  refuse?(address: string, outcome: 'failed' | 'rejected'): Promise<void>;
  /** Makes the receiver unreachable until `comeBack`. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export const someMail = (changes: Partial<OutgoingMail> = {}): OutgoingMail => ({
  id: newId('mail'),
  to: `${randomToken(8)}@example.com`,
  subject: 'Ihr Passwort wurde geändert 😀',
  text: 'Grüße,\n\nhttps://login.example.com/account?x=1&y=2\n',
  html: '<!doctype html><p>Grüße &amp; mehr</p>\n.\n<p>nach dem Punkt</p>',
  ...changes,
});

/** Checks every sentence of `provider/ports/mail-sender.ts` on the sender that `open` gives. */
export function mailSenderContract(name: string, open: () => Promise<MailSenderFixture>): void {
  describe(`${name} keeps the contract of MailSender`, () => {
    const current = useFixture(open);
    let fixture: MailSenderFixture;
    beforeAll(() => {
      fixture = current();
    });
    const send = (mail: OutgoingMail) => fixture.sender.send(mail);

    test('a mail arrives as it was given, at its one address', async () => {
      const mail = someMail();
      expect(await send(mail)).toEqual({ outcome: 'sent', answer: expect.stringMatching(/./) });
      expect(await fixture.arrived(mail.id)).toEqual({
        to: [mail.to],
        subject: mail.subject,
        text: mail.text.trim(),
        html: mail.html.trim(),
      });
    });

    test('text that looks like a file, a URL or a header stays text', async () => {
      const mail = someMail({
        text: 'file:///etc/hostname\nBcc: other@example.com',
        html: 'http://127.0.0.1:1/never-fetched',
      });
      expect((await send(mail)).outcome).toBe('sent');
      const { to, text, html } = await fixture.arrived(mail.id);
      expect({ to, text, html }).toEqual({ to: [mail.to], text: mail.text, html: mail.html });
    });

    test.each([
      'a@example.com, b@example.com',
      'a@example.com b@example.com',
      'a@example.com>\r\nRCPT TO:<b@example.com',
      '"b@example.com" <a@example.com>',
      'a(b@example.com)@example.com',
      'team:a@example.com;',
      'a@b@example.com',
      `${'a'.repeat(320)}@example.com`,
      '',
    ])('a text that is not one address is rejected, and nothing arrives: %j', async (to) => {
      const mail = someMail({ to });
      expect(await send(mail)).toMatchObject({ outcome: 'rejected' });
      await expect(fixture.arrived(mail.id)).rejects.toThrow();
    });

    test('a receiver that is away gives a failure, and takes mails again when it is back', async () => {
      await fixture.goAway();
      const mail = someMail();
      expect(await send(mail)).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/./) });
      await fixture.comeBack();
      expect((await send(mail)).outcome).toBe('sent');
    });

    test('an answer about this mail is final, any other is not', async () => {
      if (fixture.refuse === undefined) return;
      for (const outcome of ['failed', 'rejected'] as const) {
        const mail = someMail();
        await fixture.refuse(mail.to, outcome);
        expect(await send(mail)).toMatchObject({ outcome, reason: expect.stringMatching(/./) });
      }
    });
  });
}

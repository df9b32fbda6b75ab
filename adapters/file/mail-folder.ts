import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  isOneAddress,
  type MailSender,
  type OutgoingMail,
  type SendResult,
  severalAddresses,
} from '../../provider/ports/mail-sender.ts';

export interface MailFolderOptions {
  folder: string;
  /** Shows the text of a mail, so that its links can be clicked in the terminal. */
  write(text: string): unknown;
}

/** For development: it writes each mail into a folder, as text and as a page, and shows its text. Nothing is sent. */
export class MailFolder implements MailSender {
  readonly #options: MailFolderOptions;

  constructor(options: MailFolderOptions) {
    this.#options = options;
  }

  async send({ id, to, subject, text, html }: OutgoingMail): Promise<SendResult> {
    const { folder, write } = this.#options;
    if (!isOneAddress(to)) return severalAddresses;
    try {
      if (!/^[\w-]{1,100}$/.test(id)) throw new Error('the id cannot be a file name');
      const page = join(resolve(folder), `${id}.html`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const head = `To: ${oneLine(to)}\nSubject: ${oneLine(subject)}\n`;
      await writeFile(join(folder, `${id}.txt`), `${head}\n${text}`, { mode: 0o600 });
      await writeFile(page, html, { mode: 0o600 });
      await write(
        `\nMail (not sent, this is gatehouse dev)\n${head}\n${printable(text)}\nAs a page: ${page}\n\n`,
      );
      return { outcome: 'sent', answer: `written to ${page}` };
    } catch (error) {
      return { outcome: 'failed', reason: (error as Error).message, advice: `Check the folder ${folder}.` };
    }
  }
}

const oneLine = (text: string) => text.replace(/\p{Cc}/gu, '\uFFFD');

/** Control characters could control the terminal. */
const printable = (text: string) => text.replace(/[^\P{Cc}\n]/gu, '\uFFFD');

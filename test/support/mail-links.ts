import type { MailServer, ReceivedMail } from './mail-server.ts';

/** The link of a mail that leads to a page with a button. */
export function linkIn(mail: ReceivedMail | undefined): string {
  const [link] = /https?:\/\/\S+[?&]token=\S+/.exec(mail?.part('text/plain') ?? '') ?? [];
  if (link === undefined) throw new Error(`no link in the mail:\n${mail?.part('text/plain')}`);
  return link;
}

/** The short code of a mail. */
export function codeIn(mail: ReceivedMail | undefined): string {
  const [code] = /\b[A-Z]{4}-[A-Z]{4}\b/.exec(mail?.part('text/plain') ?? '') ?? [];
  if (code === undefined) throw new Error(`no code in the mail:\n${mail?.part('text/plain')}`);
  return code;
}

/** Waits for so many mails to this address, and gives the newest one. */
export async function newestMail(server: MailServer, address: string, count = 1): Promise<ReceivedMail> {
  const mail = (await server.until(address, count)).at(-1);
  if (mail === undefined) throw new Error(`no mail to ${address}`);
  return mail;
}

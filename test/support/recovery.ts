import type { MailServer } from './mail-server.ts';
import type { Page, UserAgent } from './user-agent.ts';

/** What a mail of `/recover` holds. */
export interface RecoveryMail {
  url: string;
  code: string;
  text: string;
}

/** The link and the code in the text of a mail. */
export function readRecoveryMail(text: string): RecoveryMail {
  const url = /https?:\S+\/recover\/password\?\S+/.exec(text)?.[0];
  const code = /[B-Z]{4}-[B-Z]{4}/.exec(text)?.[0];
  if (url === undefined || code === undefined) throw new Error(`no link or no code in:\n${text}`);
  return { url, code, text };
}

/** Asks for a mail on the page for it, and gives the page that follows. */
export async function askForMail(agent: UserAgent, issuer: string, email: string): Promise<Page> {
  return agent.submit(await agent.get(`${issuer}/recover`), { email });
}

/** The newest of so many mails about a forgotten password that an address got. */
export async function recoveryMail(mails: MailServer, email: string, count = 1): Promise<RecoveryMail> {
  const received = await mails.until(email, count);
  return readRecoveryMail(received.at(-1)?.part('text/plain') ?? '');
}

/** The address behind the link 'Forgot password?' of a sign-in page. */
export function forgotLink({ html, url }: Page): string | undefined {
  const href = /<a href="([^"]*\/recover\?[^"]*)"/.exec(html)?.[1];
  return href && new URL(href.replaceAll('&amp;', '&'), url).href;
}

import { TOTP } from 'otpauth';
import type { Page } from './user-agent.ts';

/** An authenticator app with one account. */
export interface Authenticator {
  /** The code of the current time step; `steps` later or earlier for another one. */
  code(steps?: number): string;
}

/** Adds the account of an enrolment page to a new app, from the key that the page shows as text. */
export function authenticatorOf({ html }: Pick<Page, 'html'>): Authenticator {
  const secret = /class="secret">([A-Z2-7 ]+)</.exec(html)?.[1]?.replaceAll(' ', '');
  if (secret === undefined) throw new Error(`no key on the page:\n${html}`);
  return authenticatorFor(secret);
}

/** @param secret in base32 */
export function authenticatorFor(secret: string, now = () => Date.now()): Authenticator {
  const totp = new TOTP({ secret });
  return { code: (steps = 0) => totp.generate({ timestamp: now() + steps * 30_000 }) };
}

/** The recovery codes that a page shows. */
export const recoveryCodesOf = ({ html }: Pick<Page, 'html'>): string[] =>
  [...html.matchAll(/<li>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})<\/li>/g)].map(([, code = '']) => code);

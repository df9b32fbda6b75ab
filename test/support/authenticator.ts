import { TOTP } from 'otpauth';
import type { Deployment } from './deployment.ts';
import { newPerson, openAccount } from './sign-in.ts';
import { createUserAgent, type Page, type Person, type UserAgent } from './user-agent.ts';

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

/** An account, a new one by default, that gets an authenticator app on the account page. */
export async function personWithFactor(
  deployment: Deployment,
  known?: Person,
): Promise<{ person: Person; app: Authenticator; recoveryCodes: string[] }> {
  const person = known ?? (await newPerson(deployment));
  const agent = createUserAgent(deployment);
  const page = await openAccount(deployment, agent, person);
  const form = /<form[^>]*\/account\/second-factor"[\s\S]*?<\/form>/.exec(page.html)?.[0] ?? '';
  const offer = await agent.submit(
    { ...page, html: form },
    { factorPassword: person.password, action: 'add' },
  );
  const app = authenticatorOf(offer);
  const recoveryCodes = recoveryCodesOf(await agent.submit(offer, { code: app.code() }));
  return { person, app, recoveryCodes };
}

/** The account page with the forms of the factors. A session that has only the password adds the code for them. */
export async function stepUpOnAccount(agent: UserAgent, page: Page, app: Authenticator): Promise<Page> {
  const [, link] = /href="([^"]*acr_values=[^"]*)"/.exec(page.html) ?? [];
  if (link === undefined) return page;
  return agent.submit(await agent.get(link.replaceAll('&amp;', '&')), { code: app.code() });
}

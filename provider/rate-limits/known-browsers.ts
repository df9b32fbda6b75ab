import { type Clock, epochSeconds } from '../lib/clock.ts';
import { randomToken } from '../lib/ids.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { emailKey } from '../ports/account-store.ts';
import { knownBrowserSeconds } from './rules.ts';

/** The part of a Koa context that is used. */
export interface BrowserContext {
  cookies: { get(name: string, options: { signed: false }): string | undefined };
  append(field: string, value: string): void;
}

/**
 * Browsers in which an account signed in before, known by a cookie (OWASP 'device cookie'). Such a browser has its own tries,
 * which wrong passwords elsewhere don't use up. The cookie proves nothing else, and it holds no name or address.
 */
export interface KnownBrowsers {
  /** The value of the cookie, for `browserOf`; undefined when the browser sent none. */
  read(ctx: BrowserContext): string | undefined;
  /**
   * The id under which the account's tries in this browser are counted; undefined when the account didn't sign in there lately.
   * @param account the address as `emailKey` gives it
   */
  browserOf(cookie: string | undefined, account: string): string | undefined;
  /** Sets the cookie after a sign-in: the browser is known for this account and for a few that signed in there before. */
  know(ctx: BrowserContext, email: string): void;
}

/** Enough for a computer that a family shares; more would make the cookie long. */
const mostAccounts = 4;

const label = 'known browser';

export function createKnownBrowsers({
  keys,
  clock,
  issuer,
}: {
  keys: Pick<ServerKeys, 'tag' | 'checkTag'>;
  clock: Clock;
  issuer: string;
}): KnownBrowsers {
  const isHttps = issuer.startsWith('https:');
  const name = `${isHttps ? '__Host-' : ''}gatehouse_known`;
  const about = (browser: string, account: string) => JSON.stringify([browser, account]);
  const isLive = (since: string | undefined) => {
    const age = epochSeconds(clock) - Number(since);
    return age < knownBrowserSeconds;
  };
  const isOf = (entry: string, account: string) => {
    const [since = '', id = '', tag = ''] = entry.split('~');
    return isLive(since) && keys.checkTag(label, about(`${since}~${id}`, account), tag);
  };
  const entriesOf = (cookie: string | undefined) =>
    (cookie ?? '')
      .split('.')
      .slice(0, mostAccounts)
      .filter((entry) => /^\d{1,12}~[\w-]{1,64}~[\w-]{22}$/.test(entry));
  const read = (ctx: BrowserContext) => ctx.cookies.get(name, { signed: false });

  return {
    read,
    browserOf: (cookie, account) => {
      const entry = entriesOf(cookie).find((one) => isOf(one, account));
      return entry?.slice(0, entry.lastIndexOf('~'));
    },
    know: (ctx, email) => {
      const account = emailKey(email.trim());
      const browser = `${epochSeconds(clock)}~${randomToken()}`;
      const others = entriesOf(read(ctx)).filter((entry) => !isOf(entry, account));
      const entries = [`${browser}~${keys.tag(label, about(browser, account))}`, ...others];
      const attributes = `path=/; max-age=${knownBrowserSeconds};${isHttps ? ' secure;' : ''} httponly; samesite=lax`;
      ctx.append('Set-Cookie', `${name}=${entries.slice(0, mostAccounts).join('.')}; ${attributes}`);
    },
  };
}

import { randomInt } from 'node:crypto';
import { type Clock, epochSeconds } from '../lib/clock.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { emailKey } from '../ports/account-store.ts';
import { knownBrowserCounts, knownBrowserSeconds } from './rules.ts';

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
   * The id under which the account's tries in this browser are counted, and the account's token version when it signed in
   * there; undefined when the account didn't sign in there lately. The browser is known only while the account still has this
   * token version: a new password ends it, as it ends tokens.
   * @param account the address as `emailKey` gives it
   */
  browserOf(cookie: string | undefined, account: string): KnownBrowser | undefined;
  /** Sets the cookie after a sign-in: the browser is known for this account and for a few that signed in there before. */
  know(ctx: BrowserContext, account: { email: string; tokenVersion: number }): void;
}

/** A browser in which an account signed in. */
export interface KnownBrowser {
  /** Several browsers of an account can have the same id: there are only a few ids, so that many cookies don't give many tries. */
  id: string;
  tokenVersion: number;
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
  /** An entry is the time, the number of the count with the token version, and the tag. */
  const entriesOf = (cookie: string | undefined) =>
    (cookie ?? '')
      .split('.')
      .slice(0, mostAccounts)
      .filter((entry) => /^\d{1,12}~\d{1,2}-\d{1,15}~[\w-]{22}$/.test(entry));
  const read = (ctx: BrowserContext) => ctx.cookies.get(name, { signed: false });

  return {
    read,
    browserOf: (cookie, account) => {
      const id = entriesOf(cookie)
        .find((one) => isOf(one, account))
        ?.split('~')[1];
      return id === undefined ? undefined : { id, tokenVersion: Number(id.split('-')[1]) };
    },
    know: (ctx, { email, tokenVersion }) => {
      const account = emailKey(email);
      const browser = `${epochSeconds(clock)}~${randomInt(knownBrowserCounts)}-${tokenVersion}`;
      const others = entriesOf(read(ctx)).filter((entry) => !isOf(entry, account));
      const entries = [`${browser}~${keys.tag(label, about(browser, account))}`, ...others];
      const attributes = `path=/; max-age=${knownBrowserSeconds};${isHttps ? ' secure;' : ''} httponly; samesite=lax`;
      ctx.append('Set-Cookie', `${name}=${entries.slice(0, mostAccounts).join('.')}; ${attributes}`);
    },
  };
}

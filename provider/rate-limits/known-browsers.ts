import { type Clock, epochSeconds } from '../lib/clock.ts';
import { randomToken } from '../lib/ids.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { knownBrowserSeconds } from './rules.ts';

/** What is asked of a request and its answer. */
export interface BrowserContext {
  cookies: { get(name: string, options: { signed: false }): string | undefined };
  append(field: string, value: string): void;
}

/**
 * Browsers in which an account signed in before, by a cookie (OWASP 'device cookie'): whoever shows it has tries of their
 * own, which nobody else's use up. It proves nothing else, and names nobody.
 */
export interface KnownBrowsers {
  /** What a browser says of itself, to be read by `browserOf`. */
  read(ctx: BrowserContext): string | undefined;
  /** The id under which the account's tries in this browser are counted; undefined when it didn't sign in there lately. */
  browserOf(cookie: string | undefined, account: string): string | undefined;
  /** The account signed in: the browser is known from now on, for this account and a few that were there before it. */
  know(ctx: BrowserContext, account: string): void;
}

/** A family's computer has a few people; more would make the cookie long. */
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
    know: (ctx, account) => {
      const browser = `${epochSeconds(clock)}~${randomToken()}`;
      const others = entriesOf(read(ctx)).filter((entry) => !isOf(entry, account));
      const entries = [`${browser}~${keys.tag(label, about(browser, account))}`, ...others];
      const attributes = `path=/; max-age=${knownBrowserSeconds};${isHttps ? ' secure;' : ''} httponly; samesite=lax`;
      ctx.append('Set-Cookie', `${name}=${entries.slice(0, mostAccounts).join('.')}; ${attributes}`);
    },
  };
}

import type { Context } from 'koa';
import type { ServerKeys } from '../../lib/server-keys.ts';

/** The browser continues at once; only a person who was signed in as somebody else sees another page in between. */
const proofSeconds = 600;

/** A sign-in: the uid of its interaction, and the account. */
interface FinishedSignIn {
  uid: string;
  accountId: string;
}

/**
 * Binds a sign-in to the browser that sent the password. The library knows an interaction by its cookies alone. A site under
 * the same parent domain can set the cookies of a sign-in that it began itself in another person's browser; if that person
 * typed a password there, the site would be signed in. So the response to the password sets a proof cookie, and the sign-in
 * continues only with it.
 */
export interface BrowserBinding {
  /** Sets the proof cookie. @param returnTo the address where the browser continues, the only one that gets the cookie */
  prove(ctx: Pick<Context, 'append'>, signIn: FinishedSignIn, returnTo: string): void;
  /** Whether the browser has the proof of this sign-in. */
  check(ctx: Pick<Context, 'cookies'>, signIn: FinishedSignIn): boolean;
}

export function createBrowserBinding({ keys, issuer }: { keys: ServerKeys; issuer: string }): BrowserBinding {
  const isHttps = issuer.startsWith('https:');
  const name = `${isHttps ? '__Secure-' : ''}gatehouse_signed_in`;
  const label = 'finished sign-in';
  const about = ({ uid, accountId }: FinishedSignIn) => `${uid} ${accountId}`;
  return {
    prove: (ctx, signIn, returnTo) => {
      const { pathname } = new URL(returnTo);
      const secure = isHttps ? ' secure;' : '';
      const attributes = `path=${pathname}; max-age=${proofSeconds};${secure} httponly; samesite=lax`;
      ctx.append('Set-Cookie', `${name}=${keys.tag(label, about(signIn))}; ${attributes}`);
    },
    check: (ctx, signIn) => {
      const proof = ctx.cookies.get(name, { signed: false }) ?? '';
      return keys.checkTag(label, about(signIn), proof);
    },
  };
}

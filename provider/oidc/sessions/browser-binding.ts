import type { Context } from 'koa';
import type { ServerKeys } from '../../lib/server-keys.ts';

/** The browser goes on at once; only who was signed in as somebody else is asked something in between. */
const proofSeconds = 600;

/** A sign-in by its interaction, and who it turned out to be. */
interface FinishedSignIn {
  uid: string;
  accountId: string;
}

/**
 * Ties a sign-in to the browser that sent the password. The library knows an interaction by its cookies alone, and a
 * neighbour under the same domain can put those of a sign-in that it began itself into somebody's browser: who types a
 * password there would sign the neighbour in. So the answer to the password carries a proof, and nobody goes on without.
 */
export interface BrowserBinding {
  /** @param returnTo where the browser goes on: the only address that is sent the proof */
  prove(ctx: Pick<Context, 'append'>, signIn: FinishedSignIn, returnTo: string): void;
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

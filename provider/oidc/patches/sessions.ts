import { errors } from 'oidc-provider';
import { epochSeconds } from '../../lib/clock.ts';
import { currentContext, orUnavailable } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
import { saveAndTouchSession } from '../sessions/sign-ins.ts';
import type { Method } from './internals.ts';

/** The most by which the end of a session may be too early in the store: these seconds, or a tenth of its lifetime. */
const mostUnsavedSeconds = 60;

/** The session of a request as the store has it, without its expiry. As text, because the library changes parts of it. */
interface StoredSession {
  text: string;
  exp: number;
}

const storedSessions = new WeakMap<object, StoredSession>();

const textOf = (session: object) => JSON.stringify({ ...session, exp: undefined });

function noteStored(session: { exp?: number } | undefined): void {
  const request = currentContext();
  if (request && session) storedSessions.set(request, { text: textOf(session), exp: session.exp ?? 0 });
}

/** Remembers the session as it was found, for `saveSession`. */
export function findSession(find: Method): Method {
  return async function findSession(...args) {
    const session = await find.apply(this, args);
    noteStored(session);
    return session;
  };
}

/**
 * Saves a session, and lists its sign-in. A session without an account is stored only for the pages of the device
 * flow, whose forms need it. Otherwise any request with the cookie of a session that is gone would store another one.
 *
 * The library saves the session of every request. It is not written if only its expiry changed, and by less than a
 * minute. So a session ends up to a minute earlier than its last use allows.
 */
export function saveSession(save: Method, services: OidcServices): Method {
  return async function saveSession(seconds: number) {
    const isNeeded = this.accountId !== undefined || deviceRoutes.has(currentContext()?.oidc.route ?? '');
    if (!isNeeded) return undefined;
    return saveAndTouchSession(this, services, async () => {
      const stored = storedSessions.get(currentContext() ?? this);
      const exp = epochSeconds(services.clock) + seconds;
      const moved = exp - (stored?.exp ?? 0);
      const isShort = moved >= 0 && moved < Math.min(mostUnsavedSeconds, seconds / 10);
      if (isShort && stored?.text === textOf(this)) {
        // As the library does, which gives the cookie this expiry.
        this.exp = exp;
        this.touched = false;
        return;
      }
      await save.call(this, seconds);
      noteStored(this);
    });
  };
}

/** The library always ends a session by deleting it. This does the same as when a session is ended from outside. */
export function destroySession(destroy: Method, { sessionEnd }: OidcServices): Method {
  return function destroySession() {
    return orUnavailable(() => sessionEnd.end(this, () => destroy.call(this)));
  };
}

const deviceRoutes = new Set(['code_verification', 'device_resume']);

interface Login {
  accountId: string;
  tokenVersion?: number;
  remember?: boolean;
}

/**
 * Signs a session in. The password must have been typed in this browser; the library repeats a sign-in with every later
 * step of its request, and those steps are bound to the session that the sign-in made. The session gets the account's
 * token version, so that 'sign out everywhere' ends it. A step that adds a second factor names no token version: the
 * session keeps its own. The last sign-in that made a choice decides whether the session is remembered. The library itself can only make a session transient.
 */
export function loginAccount(login: Method, { browserBinding }: OidcServices): Method {
  return function loginAccount(details: { accountId: string }) {
    const { accountId } = details;
    const ctx = currentContext();
    const { uid = '', result, lastSubmission } = ctx?.oidc.entities.Interaction ?? {};
    const isRepeated = (lastSubmission as { login?: Login } | undefined)?.login?.accountId === accountId;
    if (!isRepeated && !(ctx && browserBinding.check(ctx, { uid, accountId })))
      throw new errors.LoginRequired('the sign-in was finished in another browser');
    const { transient } = this;
    login.call(this, details);
    const { tokenVersion, remember } = (result as { login?: Login } | undefined)?.login ?? {};
    this.tokenVersion = tokenVersion ?? this.tokenVersion;
    if (remember === undefined) this.transient = transient;
    else this.transient = remember ? undefined : true;
  };
}

/**
 * When a form is sent without the session's cookie, the library creates a new session, but too late to set a cookie, so
 * saving that session fails. The session would be useless: the page says that cookies are needed.
 */
export function persistSession(persist: Method): Method {
  return async function persistSession() {
    return typeof this.exp === 'number' ? persist.call(this) : undefined;
  };
}

import { errors } from 'oidc-provider';
import { currentContext, orUnavailable } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
import { saveAndTouchSession } from '../sessions/sign-ins.ts';
import type { Method } from './internals.ts';

/**
 * Saves a session, and lists its sign-in. A session without an account is stored only for the pages of the device
 * flow, whose forms need it. Otherwise any request with the cookie of a session that is gone would store another one.
 */
export function saveSession(save: Method, services: OidcServices): Method {
  return async function saveSession(...args) {
    const isNeeded = this.accountId !== undefined || deviceRoutes.has(currentContext()?.oidc.route ?? '');
    if (!isNeeded) return undefined;
    return saveAndTouchSession(this, services, () => save.apply(this, args));
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

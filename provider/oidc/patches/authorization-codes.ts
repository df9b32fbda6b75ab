import { newId, randomToken } from '../../lib/ids.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import { clientOf, currentContext, orUnavailable } from '../current-request.ts';
import { acrOfCode } from '../interaction-policy.ts';
import type { OidcServices } from '../services.ts';
import type { Method } from './internals.ts';

/** The fields of ours that a code or token of a family has. */
export interface FamilyFields {
  familyId?: string;
  /** The account's token version when the person signed in. */
  tokenVersion?: number;
  /** The client's token version when the family began. */
  clientTokenVersion?: number | undefined;
  /** The `sid` of the session at this client: it ends when the person signs out there, even if they sign in again. */
  sessionSid?: string | undefined;
  /** The scopes that the app asked for and did not get: a refresh that repeats them is no error. */
  ungrantedScope?: string | undefined;
}

/** @returns the scopes of the authorization request under way that the code does not have */
export function ungrantedScope(code: { scopes: Set<string> }): string | undefined {
  const asked = currentContext()?.oidc.params?.scope;
  const ungranted =
    typeof asked === 'string' ? asked.split(' ').filter((scope) => !code.scopes.has(scope)) : [];
  return ungranted.length > 0 ? ungranted.join(' ') : undefined;
}

/** A family's id must exist before its first access token, so the family starts with the code. */
export function saveCode(save: Method, services: OidcServices): Method {
  const { clientTokenVersions, revocation, sessionsAtClients } = services;
  return async function saveCode(...args) {
    const ctx = currentContext();
    const oidc = ctx?.oidc;
    this.familyId ??= newId('fam');
    this.tokenVersion ??= (oidc?.account as { tokenVersion?: number } | undefined)?.tokenVersion;
    this.clientTokenVersion ??= clientTokenVersions.of(this.clientId);
    this.sessionSid ??= await liveSid(oidc?.session, this.clientId, revocation);
    this.ungrantedScope ??= ungrantedScope(this as { scopes: Set<string> });
    if (oidc) this.acr = acrOfCode(oidc, this.acr);
    if (ctx && this.sessionSid !== undefined && clientOf(ctx).backchannelLogoutUri !== undefined) {
      this.sid = this.sessionSid;
      const { sid, accountId, tokenVersion, sessionUid } = this;
      // If the sign-in ended meanwhile, the code is stored and cannot be redeemed.
      await orUnavailable(() =>
        sessionsAtClients.join(clientOf(ctx), { sid, accountId, tokenVersion, sessionUid }),
      );
    }
    return save.apply(this, args);
  };
}

interface SessionWithSids {
  sidFor(clientId: string): string | undefined;
  sidFor(clientId: string, sid: string): void;
}

/**
 * A session that was saved by an older request may still have the `sid` that was signed out: then it gets a new one.
 */
async function liveSid(
  session: unknown,
  clientId: string,
  revocation: Pick<Revocation, 'isSignedOut'>,
): Promise<string | undefined> {
  const sids = session as SessionWithSids | undefined;
  const sid = sids?.sidFor(clientId);
  if (sids === undefined || sid === undefined) return undefined;
  if (!(await orUnavailable(() => revocation.isSignedOut(sid)))) return sid;
  sids.sidFor(clientId, randomToken(16));
  return sids.sidFor(clientId);
}

/** A code is found even if its session has ended, so that a repeat is detected. `findAccount` checks the session. */
export function findCodeWithoutSession(find: Method): Method {
  return function findCode(value: string, options: object = {}) {
    return find.call(this, value, { ...options, ignoreSessionBinding: true });
  };
}

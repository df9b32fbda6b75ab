import type { Provider } from 'oidc-provider';
import { epochSeconds } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import { currentContext, orUnavailable } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
import { findOidcAccount, isSessionAlive } from '../sessions/accounts-view.ts';
import { listFamily } from '../sessions/sign-ins.ts';
import type { FamilyFields } from './authorization-codes.ts';
import type { Method } from './internals.ts';

/** The first refresh token of a family joins the family of its code, and the sign-in is listed. */
export function saveRefreshToken(save: Method, services: OidcServices): Method {
  return async function saveRefreshToken(...args) {
    const { AuthorizationCode, DeviceCode } = currentContext()?.oidc.entities ?? {};
    const source = (AuthorizationCode ?? DeviceCode) as FamilyFields | undefined;
    this.familyId ??= source?.familyId ?? newId('fam');
    this.tokenVersion ??= source?.tokenVersion;
    this.clientTokenVersion ??= source?.clientTokenVersion;
    this.sessionSid ??= source?.sessionSid;
    this.ungrantedScope ??= source?.ungrantedScope;
    this.expiresWithSession = endsWithSession(this);
    this.jti ??= services.refreshTokens.generate(this.familyId);
    this.indexedAt = epochSeconds(services.clock);
    const value = await save.apply(this, args);
    listFamily(this, services);
    return value;
  };
}

/**
 * Without `offline_access` a family ends with the session it was issued in (DESIGN §4); a password sign-in has none.
 */
export function endsWithSession(token: { scopes: Set<string>; sessionUid?: string | undefined }): boolean {
  return token.sessionUid !== undefined && !token.scopes.has('offline_access');
}

/**
 * Replaces the library's session binding, which compares grants and so would end older families at a new consent. A
 * family ends when the session ends, or when the person signs out of that client. At revocation, a token is found even
 * if its session has ended, because everything that was issued with it has to end.
 */
export function findRefreshToken(find: Method, services: OidcServices, provider: Provider): Method {
  return async function findRefreshToken(value: string, options: object = {}) {
    const token = await find.call(this, value, { ...options, ignoreSessionBinding: true });
    if (!token || currentContext()?.oidc.route === 'revocation') return token;
    const isGood =
      (await isSessionAlive(provider.Session, token, services.revocation)) &&
      (await orUnavailable(() => findOidcAccount(services, token.accountId, token))) !== undefined;
    return isGood ? token : undefined;
  };
}

/** The stored form of a code or token. The library makes it from two copies, and defines each member of both. */
export function storedForm(_original: Method, { clock }: OidcServices): Method {
  return async function storedForm() {
    const iat = this.iat ?? epochSeconds(clock);
    const payload: Record<string, unknown> = { iat, exp: this.exp ?? epochSeconds(clock) + this.expiration };
    for (const name of this.constructor.IN_PAYLOAD as string[])
      if (this[name] !== undefined) payload[name] = this[name];
    return { value: this.jti, payload };
  };
}

/** Replaces the library's events about codes and tokens. */
export const noEvents = (): Method => () => {};

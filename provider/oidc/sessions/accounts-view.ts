import type { Account as LibraryAccount } from 'oidc-provider';
import type { Accounts } from '../../accounts/accounts.ts';
import type { MetadataClaim } from '../../config/access-model.ts';
import { claimsByScope, mostClaimBytes, profileClaims } from '../../lib/oidc-scopes.ts';
import type { AccountFacts } from '../../ports/account-store.ts';
import { clientKey, type RevocationKey } from '../../ports/revocation-keys.ts';
import type { RecentReads } from '../../revocation/recent-reads.ts';
import type { RequestDenylist } from '../../revocation/request-denylist.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import { clientOf, currentContext } from '../current-request.ts';

/** An account as the library and our token claims see it. */
export interface OidcAccount extends LibraryAccount {
  tokenVersion: number;
  account: AccountFacts;
  permissions: readonly string[];
}

/** Where accounts and their permissions come from. */
export interface AccountSources {
  reads: Pick<RecentReads, 'account'>;
  accounts: Pick<Accounts, 'permissionsOf'>;
  personClaims: Pick<PersonClaims, 'forUserinfo' | 'forIdToken'>;
}

/** The fields of a session, a code or a token that identify how an account is signed in. */
export interface SignedInBy {
  /** The account's token version at that time. */
  tokenVersion?: number | undefined;
  familyId?: string | undefined;
  /** The client that a code or token was issued to, and the client's token version then; left out means 0. */
  clientId?: string | undefined;
  clientTokenVersion?: number | undefined;
  /** Of a session. */
  uid?: string | undefined;
  /** Of a code or token that was issued in a session. */
  sessionUid?: string | undefined;
  expiresWithSession?: boolean | undefined;
  /** The `sid` of that session at the client. */
  sessionSid?: string | undefined;
}

/**
 * @param by the session, code or token by which the account is signed in. The account must still have the same token
 *   version. The family, the session and the client's token version must not be revoked, whatever their own stores say.
 * @returns undefined when the account is not active, or when `by` is not valid any more
 */
export async function findOidcAccount(
  { reads, accounts, personClaims }: AccountSources,
  id: string,
  by?: SignedInBy,
): Promise<OidcAccount | undefined> {
  const account = await reads.account(id, by ? signedInKeys(by) : []);
  if (account?.state !== 'active') return undefined;
  if (by && by.tokenVersion !== account.tokenVersion) return undefined;
  return {
    accountId: account.id,
    tokenVersion: account.tokenVersion,
    account,
    permissions: accounts.permissionsOf(account.roles),
    claims: async (use, _scope, requested) =>
      use === 'id_token'
        ? personClaims.forIdToken(account, idTokenClaims(requested))
        : personClaims.forUserinfo(account),
  };
}

/** The session that a token was issued in, and whether the token ends with it. */
export interface SessionBound {
  accountId?: string | undefined;
  expiresWithSession?: boolean | undefined;
  sessionUid?: string | undefined;
  /** The `sid` of the session at the token's client. */
  sessionSid?: string | undefined;
}

/**
 * Whether the session that a token ends with, if there is one, is still active. The current `sid` of the session is not
 * compared. If two tabs visit the client at the same time, the session keeps the `sid` of only one of them.
 */
export async function isSessionAlive(
  sessions: { findByUid(uid: string): Promise<{ accountId?: string | undefined } | undefined> },
  token: SessionBound,
  revocation: Pick<Revocation, 'isSignedOut'>,
): Promise<boolean> {
  if (!token.expiresWithSession) return true;
  const session = await sessions.findByUid(token.sessionUid ?? '');
  return session?.accountId === token.accountId && !(await revocation.isSignedOut(token.sessionSid ?? ''));
}

/**
 * Whether a code that ends with its session may still be redeemed, as far as this session at the client decides.
 * `findOidcAccount` asks whether the session as a whole was ended. The session itself is not read: every sign-out is in
 * the denylist before the session is deleted. A session that reached its end by time does not end its code, which lives
 * for minutes; its family without `offline_access` ends at the first refresh.
 */
export async function isCodeAlive(
  { expiresWithSession, sessionUid, sessionSid }: SessionBound,
  revocation: Pick<Revocation, 'isSignedOut'>,
): Promise<boolean> {
  if (!expiresWithSession) return true;
  if (sessionUid === undefined) return false;
  return sessionSid === undefined || !(await revocation.isSignedOut(sessionSid));
}

/** The keys that end the sign-in: one of them in the denylist is enough. */
function signedInKeys(by: SignedInBy): RevocationKey[] {
  const { familyId, clientId, clientTokenVersion, uid, sessionUid, expiresWithSession } = by;
  const session = uid ?? (expiresWithSession ? sessionUid : undefined);
  const keys: RevocationKey[] = [];
  if (familyId !== undefined) keys.push(`family:${familyId}`);
  if (clientId !== undefined) keys.push(clientKey(clientId, clientTokenVersion));
  if (session !== undefined) keys.push(`session:${session}`);
  return keys;
}

/**
 * Asks the denylist one question for all checks of a sign-in in a request: the session, family and client that it
 * depends on, the `sid` at the client, and whether the kept account and consent are still as they were read.
 */
export async function preloadSignIn(
  { denylist, reads }: { denylist: Pick<RequestDenylist, 'preload'>; reads: Pick<RecentReads, 'notices'> },
  accountId: string,
  by: SignedInBy,
  clientId = by.clientId,
): Promise<void> {
  const sid = by.sessionSid === undefined ? [] : ([`sid:${by.sessionSid}`] as const);
  await denylist.preload([...signedInKeys(by), ...sid, ...reads.notices(accountId, clientId)]);
}

/**
 * The names of the claims that the id token may have: those that the `claims` parameter asked for it (OpenID Connect
 * Core §5.5), and those that the client's document lists. The library cuts them to the granted scopes. All other claims
 * of scopes come from userinfo (§5.4).
 */
function idTokenClaims(requested: object): ReadonlySet<string> {
  const ctx = currentContext();
  return new Set([...Object.keys(requested), ...(ctx ? clientOf(ctx).idTokenClaims : [])]);
}

/** Values of claims by name, and always `sub`. */
type ClaimValues = Record<string, unknown> & { sub: string };

/** The claims about a person: their scopes, and their values for an account. */
export interface PersonClaims {
  byScope: Readonly<Record<string, string[]>>;
  /** Returns the scope of a claim. Undefined for a claim that belongs to no scope. */
  scopeOf(claim: string): string | undefined;
  /** The values of all claims that the account has, for userinfo. */
  forUserinfo(account: AccountFacts): ClaimValues;
  /**
   * The values for an id token, which has to fit through the headers of gateways: a value that is too large is left out.
   * @param asked the names of the claims that the id token may have
   */
  forIdToken(account: AccountFacts, asked: ReadonlySet<string>): ClaimValues;
}

/** @param configured the claims whose values are fields in the metadata of accounts */
export function createPersonClaims(configured: readonly MetadataClaim[]): PersonClaims {
  const byScope: Record<string, string[]> = claimsByScope(configured);
  const scopes = new Map(
    Object.entries(byScope).flatMap(([scope, names]) => names.map((name) => [name, scope] as const)),
  );
  const forUserinfo = (account: AccountFacts) => ({
    ...profileOf(account.metadata),
    ...configuredOf(configured, account.metadata),
    email: account.email,
    email_verified: account.emailVerified,
    updated_at: Math.floor(account.updatedAt / 1000),
    roles: [...account.roles],
    groups: [...account.roles],
    sub: account.id,
  });
  return {
    byScope,
    scopeOf: (claim) => scopes.get(claim),
    forUserinfo,
    forIdToken: (account, asked) => {
      const fits = ([name, value]: [string, unknown]) =>
        asked.has(name) && (!profileClaims.includes(name) || isShort(value));
      return { ...Object.fromEntries(Object.entries(forUserinfo(account)).filter(fits)), sub: account.id };
    },
  };
}

const isShort = (value: unknown) => Buffer.byteLength(JSON.stringify(value)) <= mostClaimBytes;

function profileOf(metadata: Record<string, unknown>): Record<string, string> {
  const known = profileClaims.filter((name) => name !== 'updated_at' && typeof metadata[name] === 'string');
  return Object.fromEntries(known.map((name) => [name, String(metadata[name])]));
}

/** A value that is no claim: an object, null, a list of anything but text, or one that is too large. */
function configuredOf(
  claims: readonly MetadataClaim[],
  metadata: Record<string, unknown>,
): Record<string, unknown> {
  const found = claims.flatMap(({ name, field }): [string, unknown][] => {
    const value = Object.hasOwn(metadata, field) ? metadata[field] : undefined;
    const isText = (item: unknown) => typeof item === 'string';
    const isList = Array.isArray(value) && value.every(isText);
    const isClaim = isList || ['string', 'number', 'boolean'].includes(typeof value);
    return isClaim && isShort(value) ? [[name, value]] : [];
  });
  return Object.fromEntries(found);
}

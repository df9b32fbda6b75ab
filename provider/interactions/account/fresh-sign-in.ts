import { randomToken } from '../../lib/ids.ts';
import { multiFactorAcr } from '../../lib/password-sign-in.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import type { AccountDeps } from './account-deps.ts';
import type { AccountAction } from './account-form.ts';

/** The parts of the page whose forms need a fresh sign-in. They are the ids of the sections too. */
export const guardedParts = ['address', 'password', 'second-factor', 'passkeys'] as const;

export type GuardedPart = (typeof guardedParts)[number];

/**
 * The forms that change how a person signs in, by the part of the page that has them (OWASP ASVS 5, V7.5.1). The others
 * only take access away. `authenticator` is the second form of `second-factor`: it works only with an offer that this
 * session got from the first one. `address-code` is the second form of `address`, with a code of a mail.
 */
export const guardedActions: Readonly<Record<AccountAction, GuardedPart | undefined>> = {
  end: undefined,
  'sign-out-everywhere': undefined,
  withdraw: undefined,
  password: 'password',
  'second-factor': 'second-factor',
  authenticator: undefined,
  address: 'address',
  'address-code': undefined,
  passkeys: 'passkeys',
};

/** So old the sign-in may be when the page shows these forms, in milliseconds. */
const freshMs = 600_000;

/** So much longer a person may take to fill in a form. */
const fillInMs = 300_000;

const isRecent = ({ startedAt }: BrowserSession, now: number, mostMs: number) => now - startedAt <= mostMs;

/** Whether the session has the level of the account: with a second factor if the account has one. */
const hasLevel = ({ account, amr }: BrowserSession) => !account.hasSecondFactor || amr.includes('mfa');

/** Whether the page shows the forms. */
export const isFresh = (session: BrowserSession, now: number): boolean =>
  isRecent(session, now, freshMs) && hasLevel(session);

/** Whether a form of the page is accepted. */
export const isFreshEnough = (session: BrowserSession, now: number): boolean =>
  isRecent(session, now, freshMs + fillInMs) && hasLevel(session);

type SignInDeps = Pick<AccountDeps, 'issuer' | 'client' | 'now'>;

/**
 * Returns the URL that starts a sign-in. The account page uses the browser's session, so the returned code is never
 * redeemed. Its challenge is random and has no known verifier (RFC 7636 §4.2).
 */
export function signInUrl({ issuer, client }: SignInDeps, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: client.id,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    scope: 'openid',
    code_challenge: randomToken(32),
    code_challenge_method: 'S256',
    ...more,
  });
  return `${issuer}/oauth2/authorize?${query}`;
}

/**
 * Returns the URL of a sign-in that makes the session fresh. If it is recent and only the level is missing, the person is
 * asked for the second factor only. The `state` names the part of the page to come back to.
 */
export function freshSignInUrl(deps: SignInDeps, session: BrowserSession, part: GuardedPart): string {
  return signInUrl(deps, {
    state: part,
    ...(session.account.hasSecondFactor ? { acr_values: multiFactorAcr } : {}),
    ...(isRecent(session, deps.now(), freshMs) ? {} : { prompt: 'login' }),
  });
}

/** The part of the page that `freshSignInUrl` named. */
export const partOf = (state: unknown): GuardedPart | undefined =>
  guardedParts.find((part) => part === state);

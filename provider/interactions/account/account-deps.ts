import type { Context } from 'koa';
import type { Api } from '../../config/access-model.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { Account } from '../../ports/account-store.ts';
import type { Consent } from '../../ports/consent-store.ts';
import type { LanguageSource } from '../pages.ts';
import type { Renderer } from '../render.ts';

/** Who is signed in in the browser that asks. */
export interface AccountSession {
  uid: string;
  account: Account;
  /** Milliseconds since the epoch. */
  startedAt: number;
}

/** Where the account is signed in: a browser, or an app by tokens of its own. */
export interface Place {
  kind: 'session' | 'family';
  id: string;
  clientId?: string | undefined;
  /** Milliseconds since the epoch. */
  startedAt: number;
  lastUsedAt: number;
  ip?: string | undefined;
  userAgent?: string | undefined;
  /** Of a family that ends with a browser's session: the id of that session's place. */
  sessionId?: string | undefined;
}

export interface AccountDeps {
  renderer(ctx: LanguageSource): Renderer;
  keys: Pick<ServerKeys, 'tag' | 'checkTag'>;
  bodyLimitBytes: number;
  issuer: string;
  /** The issuer's path, before every link. */
  basePath: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The built-in client by which people sign in here, and where they come back to. */
  client: { id: string; redirectUri: string };
  /** Undefined when nobody is signed in any more. */
  session(ctx: Context): Promise<AccountSession | undefined>;
  app(clientId: string): { name: string; firstParty: boolean } | undefined;
  apis: readonly Api[];
  /** Those used last first. */
  places(accountId: string): Promise<Place[]>;
  /** The id of a session's place. */
  clientNetworkOf(sessionUid: string): string;
  consents(accountId: string): Promise<Consent[]>;
  /** False when the account has no such place any more. */
  endPlace(accountId: string, placeId: string): Promise<boolean>;
  endSession(sessionUid: string): Promise<void>;
  signOutEverywhere(accountId: string): Promise<void>;
  /** False when there was none. */
  withdrawConsent(accountId: string, clientId: string): Promise<boolean>;
  /**
   * Ends every session and token, this browser's too. Throws `validation_failed` with `/newPassword`,
   * `invalid_credentials`, `session_ended`, `overloaded` and the like.
   */
  changePassword(change: {
    accountId: string;
    tokenVersion: number;
    current: string;
    next: string;
  }): Promise<void>;
  /** What a new password has to be, in code points. */
  passwordLength: { shortest: number; longest: number };
}

import type { Context } from 'koa';
import type { z } from 'zod';
import type { ChangeAddress } from '../../accounts/change-address.ts';
import type { ChangePassword } from '../../accounts/change-password.ts';
import type { OwnPasskeys } from '../../accounts/own-passkeys.ts';
import type { OwnSecondFactor } from '../../accounts/own-second-factor.ts';
import type { Api } from '../../config/access-model.ts';
import type { NewPasskeyAnswer } from '../../lib/passkey-answers.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import type { Consents } from '../../oidc/sessions/consents.ts';
import type { SignIns } from '../../oidc/sessions/sign-ins.ts';
import type { Account } from '../../ports/account-store.ts';
import type { Consent } from '../../ports/consent-store.ts';
import type { StoredFactor } from '../../ports/second-factors.ts';
import type { RecentSignIn } from '../../ports/sign-in-history.ts';
import type { LanguageSource } from '../pages.ts';
import type { Renderer } from '../render.ts';

/** The parts of the server that the account page uses. */
export interface AccountDeps {
  renderer(ctx: LanguageSource): Renderer;
  keys: Pick<ServerKeys, 'tag' | 'checkTag'>;
  bodyLimitBytes: number;
  issuer: string;
  /** The path of the issuer. Every link begins with it. */
  basePath: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** The built-in client with which people sign in to the account page, and its redirect URI. */
  client: { id: string; redirectUri: string };
  /** Undefined when the browser has no active session. */
  session(ctx: Context): Promise<BrowserSession | undefined>;
  /**
   * Counts a request of this session before more is read for it.
   *
   * @throws `too_many_requests`
   */
  countRequest(sessionUid: string): Promise<void>;
  app(clientId: string): { name: string; firstParty: boolean } | undefined;
  apis: readonly Api[];
  signIns: Pick<SignIns, 'page' | 'endOne'>;
  /** The `id` that a session has in the list. */
  sessionHandle(sessionUid: string): string;
  consents(accountId: string): Promise<Consent[]>;
  endSession(sessionUid: string): Promise<void>;
  signOutEverywhere(accountId: string): Promise<void>;
  withdrawConsent: Consents['withdraw'];
  /**
   * Ends every session and token, also the session of this browser.
   *
   * @throws `validation_failed` with `/newPassword`, `invalid_credentials`, `session_ended`, `overloaded`,
   *   `too_many_requests`
   */
  changePassword: ChangePassword;
  /** Undefined when mail is off. */
  changeAddress?: ChangeAddress | undefined;
  secondFactor: OwnSecondFactor;
  /** Undefined when passkeys are off. */
  passkeys: OwnPasskeys | undefined;
  newPasskeyAnswer: z.ZodType<NewPasskeyAnswer>;
  /** The second factor of an account that has one. */
  factorOf(accountId: string): Promise<StoredFactor | undefined>;
  /** Whether people may add a second factor themselves. */
  offersSecondFactor: boolean;
  /** Gives the cookie of the browser for `changePassword`, if the account signed in there before. */
  browser(ctx: Context): string | undefined;
  /** Makes the browser known for `changePassword`: there the account is signed in. */
  knowBrowser(ctx: Context, account: Pick<Account, 'email' | 'tokenVersion'>): void;
  /** The last sign-ins, the newest first. */
  signInHistory(accountId: string): Promise<RecentSignIn[]>;
  /** The bounds for the length of a new password of this account, in code points. */
  passwordLengthFor(account: BrowserSession['account']): { shortest: number; longest: number };
}

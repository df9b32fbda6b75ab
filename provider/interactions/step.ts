import type { RouterContext } from '@koa/router';
import type { InteractionResults, Provider } from 'oidc-provider';
import type { z } from 'zod';
import type { ChangePassword } from '../accounts/change-password.ts';
import type { ConfirmAddress } from '../accounts/confirm-address.ts';
import type { OwnPasskeys } from '../accounts/own-passkeys.ts';
import type { PasskeySignIn } from '../accounts/passkey-sign-in.ts';
import type { Register } from '../accounts/register.ts';
import type { SecondStep } from '../accounts/second-step.ts';
import type { SignIn } from '../accounts/sign-in.ts';
import type { ClientDocument } from '../clients/client-document.ts';
import type { Api } from '../config/access-model.ts';
import type { NewPasskeyAnswer, PasskeyAnswer } from '../lib/passkey-answers.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Consents } from '../oidc/sessions/consents.ts';
import type { Account, AccountStore } from '../ports/account-store.ts';
import type { PendingInteraction } from './interaction.ts';
import type { Renderer } from './render.ts';
import type { TrustedBrowser } from './trusted-browser.ts';

/**
 * Whether a sign-in continues after the browser window is closed. The person is asked, or the setting applies to all.
 */
export type RememberMe = 'ask' | 'always' | 'never';

/** The data of the client that pages show. */
export type PageClient = Pick<
  ClientDocument,
  | 'id'
  | 'name'
  | 'enabled'
  | 'firstParty'
  | 'requireSecondFactor'
  | 'applicationType'
  | 'scopes'
  | 'clientUri'
  | 'logoUri'
  | 'policyUri'
  | 'tosUri'
> & {
  /** The host where the client publishes its metadata, if its id is a URL. */
  publishedBy?: string | undefined;
  /** Whether the client registered itself here. */
  isRegistered?: boolean | undefined;
};

export interface InteractionDeps {
  provider(): Provider;
  /** Returns the renderer for the language of the request. */
  renderer(ctx: RouterContext): Renderer;
  keys: ServerKeys;
  bodyLimitBytes: number;
  /** Seconds since the epoch. */
  epochSeconds(): number;
  issuer: string;
  /** The issuer's path. Every link begins with it. */
  basePath: string;
  client(id: string): Promise<PageClient | undefined>;
  account: AccountStore['findById'];
  signIn: SignIn;
  /** The steps after `second_factor_required` and `second_factor_missing`. */
  secondStep: Omit<SecondStep, 'gate'>;
  /** Undefined when passkeys are off, like `passkeys`. */
  passkeySignIn: PasskeySignIn | undefined;
  passkeys: Pick<OwnPasskeys, 'list' | 'offer' | 'add'> | undefined;
  /** The schemas of the answers of browsers. */
  passkeyAnswers: { existing: z.ZodType<PasskeyAnswer>; created: z.ZodType<NewPasskeyAnswer> };
  /** Replaces a password that `signIn` has just found right but not certain (`needsNewPassword`). */
  changePassword: ChangePassword;
  /**
   * Browsers in which the account was signed in before. Wrong passwords from other browsers don't block sign-ins there.
   */
  browsers: {
    read(ctx: RouterContext): string | undefined;
    know(ctx: RouterContext, account: Pick<Account, 'email' | 'tokenVersion'>): void;
  };
  trustedBrowser: TrustedBrowser;
  /** The waiting time after which the factors of a person who lost them are removed; 0 when this is switched off. */
  secondFactorRemovalHours: number;
  /**
   * Sets the proof that this browser finished the sign-in. Only a browser with this proof can continue the
   * authorization request.
   */
  proveSignIn(ctx: RouterContext, signIn: { uid: string; accountId: string }, returnTo: string): void;
  rememberMe: RememberMe;
  /** Undefined if people can't sign up themselves. */
  register?: Register | undefined;
  /** Whether a forgotten password can be recovered by mail. */
  offersRecovery: boolean;
  confirmAddress: ConfirmAddress;
  /** As `confirmAddress.sendAgain`, within the limits of sign-ups. */
  sendConfirmationAgain: ConfirmAddress['sendAgain'];
  /** Whether a new account may sign in before its address is confirmed. */
  mayConfirmLater: boolean;
  /** The bounds for the length of a password that `register` accepts, in code points. */
  passwordLength: { shortest: number; longest: number };
  addConsent: Consents['add'];
  consent: {
    protocolScopes: readonly string[];
    scopeOfClaim(claim: string): string | undefined;
    permissionsOf(roles: readonly string[]): readonly string[];
  };
  apis: readonly Api[];
}

/** One request for one step of an interaction, with all data that was loaded for it. */
export interface Step {
  ctx: RouterContext;
  interaction: PendingInteraction;
  client: PageClient;
  /** The renderer for the person's language. */
  renderer: Renderer;
  /** Ends the interaction with this result and redirects the browser. */
  finish(result: InteractionResults): Promise<void>;
}

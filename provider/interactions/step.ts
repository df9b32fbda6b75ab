import type { RouterContext } from '@koa/router';
import type { InteractionResults, Provider } from 'oidc-provider';
import type { Api } from '../config/access-model.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { Agreement } from '../ports/consent-store.ts';
import type { PendingInteraction } from './interaction.ts';
import type { Renderer } from './render.ts';

/**
 * Decides whether a sign-in continues after the browser window is closed. Either the person is asked, or the setting
 * applies to all.
 */
export type RememberMe = 'ask' | 'always' | 'never';

/** The data of the client that pages show. */
export interface PageClient {
  id: string;
  name: string;
  firstParty: boolean;
  applicationType: 'web' | 'native';
  scopes: readonly string[];
  clientUri?: string | undefined;
  logoUri?: string | undefined;
  policyUri?: string | undefined;
  tosUri?: string | undefined;
}

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
  client(id: string): PageClient | undefined;
  account(id: string): Promise<Account | undefined>;
  signIn(credentials: {
    email: string;
    password: string;
    clientId: string;
    browser: string | undefined;
  }): Promise<Account>;
  /**
   * Browsers in which the account was signed in before. Wrong passwords from other browsers don't block sign-ins there.
   */
  browsers: {
    read(ctx: RouterContext): string | undefined;
    know(ctx: RouterContext, email: string): void;
  };
  /** Gives this browser, and no other, the proof that it needs to continue after the sign-in that it finished. */
  proveSignIn(ctx: RouterContext, signIn: { uid: string; accountId: string }, returnTo: string): void;
  /**
   * Whether a sign-in continues after the browser window is closed. The person is asked, or the setting applies to all.
   */
  rememberMe: RememberMe;
  /** Undefined if people can't sign up themselves. */
  register?: ((credentials: { email: string; password: string }) => Promise<void>) | undefined;
  /** The bounds for the length of a password that `register` accepts, in code points. */
  passwordLength: { shortest: number; longest: number };
  addConsent(agreement: Agreement): Promise<void>;
  consent: { protocolScopes: readonly string[]; scopeOfClaim(claim: string): string | undefined };
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

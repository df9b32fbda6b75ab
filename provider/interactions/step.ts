import type { RouterContext } from '@koa/router';
import type { InteractionResults, Provider } from 'oidc-provider';
import type { Api } from '../config/access-model.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { Agreement } from '../ports/consent-store.ts';
import type { PendingInteraction } from './interaction.ts';
import type { Renderer } from './render.ts';

/** Decides whether a sign-in outlives the browser window: the person is asked, or the setting applies to all. */
export type RememberMe = 'ask' | 'always' | 'never';

/** The client as pages show it. */
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
  /** In the language of whoever asks. */
  renderer(ctx: RouterContext): Renderer;
  keys: ServerKeys;
  bodyLimitBytes: number;
  /** Seconds since the epoch. */
  epochSeconds(): number;
  issuer: string;
  /** The issuer's path, before every link. */
  basePath: string;
  client(id: string): PageClient | undefined;
  account(id: string): Promise<Account | undefined>;
  signIn(credentials: {
    email: string;
    password: string;
    clientId: string;
    browser: string | undefined;
  }): Promise<Account>;
  /** Browsers that somebody signed in with before: others' wrong passwords don't keep them out there. */
  browsers: {
    read(ctx: RouterContext): string | undefined;
    know(ctx: RouterContext, email: string): void;
  };
  /** Gives this browser, and no other, what it needs to go on with the sign-in it finished. */
  proveSignIn(ctx: RouterContext, signIn: { uid: string; accountId: string }, returnTo: string): void;
  /** Whether a sign-in outlives the browser window: asked, or decided for all. */
  rememberMe: RememberMe;
  /** Left out where people can't sign up themselves. */
  register?: ((credentials: { email: string; password: string }) => Promise<void>) | undefined;
  /** What `register` asks of a password, in code points. */
  passwordLength: { shortest: number; longest: number };
  addConsent(agreement: Agreement): Promise<void>;
  consent: { protocolScopes: readonly string[]; scopeOfClaim(claim: string): string | undefined };
  apis: readonly Api[];
}

/** One request for one step of an interaction, with everything that was found for it. */
export interface Step {
  ctx: RouterContext;
  interaction: PendingInteraction;
  client: PageClient;
  /** In the person's language. */
  renderer: Renderer;
  /** Ends the interaction with this result and sends the browser on. */
  finish(result: InteractionResults): Promise<void>;
}

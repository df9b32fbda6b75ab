import type {
  ConsentApi,
  ConsentScope,
  FormError,
  PasskeyFormView,
  QrView,
  SecondFactorField,
  TimeView,
} from '../view-values.ts';

/** The data of the account pages. */

/** One place where an account is signed in. */
interface SignInEntryView {
  id: string;
  name: string;
  ip?: string | undefined;
  since: TimeView;
  lastUsed: TimeView;
}

export interface BrowserEntryView extends SignInEntryView {
  /** Whether this is the browser that shows the page. */
  isHere: boolean;
  /** The apps that are signed out together with this browser. */
  apps: string[];
}

/** An app with tokens of its own. */
export interface AppEntryView extends SignInEntryView {
  browser?: string | undefined;
}

/** A third party's app, and the access that the person agreed to. */
export interface ConsentedAppView {
  clientId: string;
  name: string;
  since: TimeView;
  /** OpenID Connect scopes. */
  scopes: ConsentScope[];
  apis: ConsentApi[];
}

export type AccountPasswordField = 'currentPassword' | 'newPassword';

export type AccountField =
  | AccountPasswordField
  | 'factorPassword'
  | 'newEmail'
  | 'addressPassword'
  | 'addressCode';

/** One of the last sign-ins. */
export interface RecentSignInView {
  at: TimeView;
  /** The name of the app. */
  app: string;
  /** How the person signed in, in the language of the page. */
  method: string;
  browser?: string | undefined;
  ip?: string | undefined;
}

interface ActionForm {
  action: string;
  csrf: string;
}

/** The first three are missing with `signInAgain`, and the last one if no address waits. */
type GuardedForms = Partial<Record<'address' | 'password' | 'secondFactor' | 'addressCode', ActionForm>>;

/**
 * The account page. Each of its forms posts `csrf` to its action. In addition, `end` posts the `id` of a sign-in,
 * `withdraw` posts the `client`, `password` posts `currentPassword` and `newPassword`, and `secondFactor` posts
 * `factorPassword` and `action`: `add`, `remove` or `codes`. `address` posts `newEmail` and `addressPassword`, and
 * `addressCode` posts `addressCode`.
 */
export interface AccountView {
  email: string;
  /** A message about the action that was just done. */
  notice?: string | undefined;
  browsers: BrowserEntryView[];
  apps: AppEntryView[];
  /** The address of the next page of the list, with sign-ins that were used earlier. */
  earlier?: string | undefined;
  consented: ConsentedAppView[];
  forms: Record<'end' | 'signOutEverywhere' | 'withdraw', ActionForm> & GuardedForms;
  /**
   * Set if the sign-in is too old, or has no second factor although the account has one. Then the page shows these links
   * to a new sign-in instead of the forms.
   */
  signInAgain?: Record<'address' | 'password' | 'secondFactor', string> | undefined;
  /** The last sign-ins, the newest first. */
  recent: RecentSignInView[];
  /**
   * Undefined when mail is off. `waiting`: the new address that is not confirmed yet. `typed`: what the person typed, when
   * there is a problem with it.
   */
  address?: { isVerified: boolean; waiting?: string | undefined; typed?: string | undefined } | undefined;
  hasPassword: boolean;
  secondFactor?: { app?: { since: TimeView } | undefined; recoveryCodes: number } | undefined;
  /** Undefined when passkeys are off. */
  passkeys?: AccountPasskeysView | undefined;
  offersSecondFactor: boolean;
  /** The minimum length in characters. The page shows it and the browser checks it. */
  passwordMinLength: number;
  /** The problem with what the person typed. */
  error?: FormError<AccountField> | undefined;
}

/**
 * The passkeys of the account. `form` posts `csrf`, the `id` of a passkey, and `action`: `remove`, or `rename` with a
 * `name`. `form` and `add` are undefined where the person has to sign in again first.
 */
export interface AccountPasskeysView {
  list: {
    id: string;
    name: string;
    /** Whether it can be on several devices. */
    isShareable: boolean;
    since: TimeView;
    lastUsed?: TimeView | undefined;
  }[];
  form?: ActionForm | undefined;
  add?: PasskeyFormView | undefined;
  signInAgain?: string | undefined;
  error?: string | undefined;
}

/** A new authenticator app on the account page. Posts `csrf`, the hidden fields and `code` to `action`. */
export interface AccountSecondFactorView extends ActionForm {
  cancelUrl: string;
  hidden: Readonly<Record<string, string>>;
  qr: QrView;
  secret: string;
  error?: FormError<SecondFactorField> | undefined;
}

/**
 * The page behind the link of a mail about a change of the address. With a form, it posts the hidden fields to `action`;
 * without one, it says what happened.
 */
export interface AccountAddressView {
  title: string;
  message: string;
  /** What the button does. */
  effect?: string | undefined;
  form?: { action: string; hidden: Readonly<Record<string, string>>; submit: string } | undefined;
  accountUrl: string;
}

/** The page that is shown after the account page ended this browser's session. */
export interface AccountSignedOutView {
  title: string;
  message: string;
  accountUrl: string;
}

/**
 * The data that each page needs for rendering. All strings are plain text: the templates escape them. Links must be
 * http, https or a path of ours, and logos must be https; otherwise the page does not show them.
 */

export type SignInField = 'email' | 'password' | 'newPassword';

/** One problem with the entered data. Without a field it concerns the form as a whole. */
export interface FormError<Field extends string> {
  field?: Field | undefined;
  /** The problem and its solution, in the page's language. */
  message: string;
}

/** The application on whose behalf a page is shown. */
export interface ClientFace {
  /** The client's name, or its id if it has no name. */
  clientName: string;
  /** The client's home page (OpenID Connect Registration §2, `client_uri`). */
  clientUri?: string | undefined;
  /** Shown only when it is https (`logo_uri`). */
  logoUri?: string | undefined;
  /** The client's privacy policy and terms of service (`policy_uri`, `tos_uri`). */
  policyUri?: string | undefined;
  termsUri?: string | undefined;
  /**
   * The host where the client publishes its own metadata. It identifies the client, because the name was not checked. It
   * is undefined for clients of the configuration.
   */
  publishedBy?: string | undefined;
}

/**
 * Posts `csrf`, `email` and `password` to `action`, and `newPassword` when that is asked for; or only `csrf` to
 * `cancelAction`.
 */
export interface SignInView extends ClientFace {
  csrf: string;
  action: string;
  /** The person does not want to sign in: the app gets `access_denied`. */
  cancelAction: string;
  /** The account that is signed in, where the app lets the person choose. Posting `continue=yes` keeps it. */
  continueAs?: string | undefined;
  /** The value that the person typed before, or the request's `login_hint`. */
  email?: string | undefined;
  error?: FormError<SignInField> | undefined;
  /** Whether the checkbox that posts `remember=yes` is checked. Undefined if the checkbox isn't offered. */
  remember?: boolean | undefined;
  /** Undefined if people can't sign up themselves. */
  signUpUrl?: string | undefined;
  /** Asks for a new password, because the stored hash covers only a part of the current one. The length is in characters. */
  newPassword?: { minLength: number } | undefined;
}

/** Posts `csrf`, `email` and `password` to `action`, or only `csrf` to `cancelAction`. */
export interface SignUpView extends ClientFace {
  csrf: string;
  action: string;
  /** The same as on the sign-in page. */
  cancelAction: string;
  /** The minimum length in characters. The page shows it and the browser checks it. */
  passwordMinLength: number;
  email?: string | undefined;
  error?: FormError<SignInField> | undefined;
  signInUrl?: string | undefined;
}

export type SecondFactorField = 'code' | 'recoveryCode';

/** A QR code with its border, as an SVG image of `size` × `size` units and the path of its dark squares. */
export type QrView = { size: number; path: string };

/** Posts `csrf`, the hidden fields and one of the fields to `action`, or only `csrf` to `cancelAction`. */
export interface SecondFactorView extends ClientFace {
  csrf: string;
  action: string;
  cancelAction: string;
  hidden: Readonly<Record<string, string>>;
  error?: FormError<SecondFactorField> | undefined;
}

/** How to add an authenticator app. Posts the same, with `code`. */
export interface AddSecondFactorView extends SecondFactorView {
  qr: QrView;
  secret: string;
}

/** New recovery codes, which are shown once: during a sign-in with a form, on the account page with a link. */
export interface RecoveryCodesView {
  codes: readonly string[];
  form?: Pick<SecondFactorView, 'action' | 'csrf' | 'hidden'> | undefined;
  continueUrl?: string | undefined;
}

export interface ConsentScope {
  name: string;
  /**
   * A description in plain language. The scopes of no API (`openid`, `profile`, `email`, `roles`, `groups`,
   * `offline_access`) have built-in descriptions. Other scopes without a description show their name.
   */
  description?: string | undefined;
}

export interface ConsentApi {
  /** The name of the API, or its audience if it has no name. */
  name: string;
  scopes: ConsentScope[];
}

/** Posts `csrf` and `decision` (`allow` or `deny`) to `action`. */
export interface ConsentView extends ClientFace {
  csrf: string;
  action: string;
  /** The address to which `deny` is posted, if it is not `action`. */
  cancelAction?: string | undefined;
  accountEmail: string;
  /** OpenID Connect scopes. */
  scopes: ConsentScope[];
  apis: ConsentApi[];
  /** The host that the person returns to. It identifies the receiver in case the client's name can't be trusted. */
  redirectHost?: string | undefined;
  /** Whether the app registered itself, so that its name was not checked. */
  isRegistered?: boolean | undefined;
}

/** Posts `xsrf` to `action`, with `logout=yes` when the person agreed to end the session and without it when not. */
export interface LogoutView {
  action: string;
  xsrf: string;
  /** The client that requested the logout. */
  clientName?: string | undefined;
  accountEmail?: string | undefined;
}

export interface SignedOutView {
  /** The person chose to keep the session. */
  stillSignedIn?: boolean | undefined;
  /** Set only when the person was signed out of this one client and the session continues. */
  clientName?: string | undefined;
  /** A link to continue, in both cases. */
  clientUri?: string | undefined;
}

/** Posts `xsrf` and `user_code` to `action`. */
export interface DeviceView {
  action: string;
  xsrf: string;
  /** The code that the person typed before, or the code in the address that the device showed. */
  userCode?: string | undefined;
  error?: FormError<'user_code'> | undefined;
}

/** Posts `xsrf`, `user_code` and `confirm=yes` or `abort=yes` to `action`. */
export interface DeviceConfirmView extends ClientFace {
  action: string;
  xsrf: string;
  /** The code as the device shows it. */
  userCode: string;
  /** The account that is already signed in. */
  accountEmail?: string | undefined;
  /** The address that the device's request came from, and the name that the device gave itself in this request. */
  deviceAddress?: string | undefined;
  deviceName?: string | undefined;
}

export interface DeviceDoneView {
  /** The app that the person approved. Undefined when the person denied it. */
  clientName?: string | undefined;
}

export interface ErrorView {
  title: string;
  /** The problem and its solution. */
  message: string;
  /** The problem with the request in the protocol's terms, for the developer who fixes it. */
  detail?: string | undefined;
  /** An error code from `lib/errors.ts`, or a code of the protocol. */
  code: string;
  /** The id of the request, which the log contains too. */
  requestId: string;
  /** Where the person can go on. */
  backUrl?: string | undefined;
  /** The app that `backUrl` belongs to. */
  clientName?: string | undefined;
}

/** A time for people to read. It is the same in every language. */
export interface TimeView {
  /** The format of HTML's `datetime` attribute. */
  iso: string;
  /** The time in UTC. The text names this time zone. */
  text: string;
}

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

export type AccountPasswordField = 'currentPassword' | 'newPassword' | 'factorPassword';

interface ActionForm {
  action: string;
  csrf: string;
}

/**
 * The account page. Each of its forms posts `csrf` to its action. In addition, `end` posts the `id` of a sign-in,
 * `withdraw` posts the `client`, `password` posts `currentPassword` and `newPassword`, and `secondFactor` posts
 * `factorPassword` and `action`: `add`, `remove` or `codes`.
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
  forms: Record<'end' | 'signOutEverywhere' | 'withdraw' | 'password' | 'secondFactor', ActionForm>;
  hasPassword: boolean;
  secondFactor?: { since: TimeView; recoveryCodes: number } | undefined;
  offersSecondFactor: boolean;
  /** The minimum length in characters. The page shows it and the browser checks it. */
  passwordMinLength: number;
  /** The problem with the entered passwords. */
  error?: FormError<AccountPasswordField> | undefined;
}

/** A new authenticator app on the account page. Posts `csrf`, the hidden fields and `code` to `action`. */
export interface AccountSecondFactorView extends ActionForm {
  cancelUrl: string;
  hidden: Readonly<Record<string, string>>;
  qr: QrView;
  secret: string;
  error?: FormError<SecondFactorField> | undefined;
}

/** The page that is shown after the account page ended this browser's session. */
export interface AccountSignedOutView {
  title: string;
  message: string;
  accountUrl: string;
}

/** The page at `/`. */
export interface HomeView {
  issuer: string;
  discoveryUrl: string;
  openApiUrl?: string | undefined;
}

/** The model of each view, by the name of its template. */
export interface ViewModels {
  'sign-in': SignInView;
  'sign-up': SignUpView;
  'second-factor': SecondFactorView;
  'add-second-factor': AddSecondFactorView;
  'recovery-codes': RecoveryCodesView;
  consent: ConsentView;
  logout: LogoutView;
  'signed-out': SignedOutView;
  device: DeviceView;
  'device-confirm': DeviceConfirmView;
  'device-done': DeviceDoneView;
  error: ErrorView;
  home: HomeView;
  account: AccountView;
  'account-signed-out': AccountSignedOutView;
  'account-second-factor': AccountSecondFactorView;
}

export type ViewName = keyof ViewModels;

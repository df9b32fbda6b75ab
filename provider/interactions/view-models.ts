/**
 * What each page needs to be drawn. All strings are plain text: the templates escape them. Links that aren't
 * http, https or a path of ours, and logos that aren't https, are left out of the page rather than shown.
 */

export type SignInField = 'email' | 'password';

/** One thing that is wrong with what was entered. Without a field it concerns the form as a whole. */
export interface FormError<Field extends string> {
  field?: Field | undefined;
  /** What is wrong and what to do, in the page's language. */
  message: string;
}

/** The application on whose behalf a page is shown. */
export interface ClientFace {
  /** The client's name; its id where it has none. */
  clientName: string;
  /** The client's home page (OpenID Connect Registration §2, `client_uri`). */
  clientUri?: string | undefined;
  /** Shown only when it is https (`logo_uri`). */
  logoUri?: string | undefined;
}

/** Posts `csrf`, `email` and `password` to `action`. */
export interface SignInView extends ClientFace {
  csrf: string;
  action: string;
  /** What the person typed before, or the request's `login_hint`. */
  email?: string | undefined;
  error?: FormError<SignInField> | undefined;
  /** Whether the box that posts `remember=yes` is ticked; left out where it isn't offered. */
  remember?: boolean | undefined;
  /** Left out where people can't sign up themselves. */
  signUpUrl?: string | undefined;
}

/** Posts `csrf`, `email` and `password` to `action`. */
export interface SignUpView extends ClientFace {
  csrf: string;
  action: string;
  /** In characters; told to the person and checked by the browser. */
  passwordMinLength: number;
  email?: string | undefined;
  error?: FormError<SignInField> | undefined;
  signInUrl?: string | undefined;
}

export interface ConsentScope {
  name: string;
  /** In plain words. `openid`, `profile`, `email` and `offline_access` have words of their own; others show their name. */
  description?: string | undefined;
}

export interface ConsentApi {
  /** What the API is called; its audience where it has no name. */
  name: string;
  scopes: ConsentScope[];
}

/** Posts `csrf` and `decision` (`allow` or `deny`) to `action`. */
export interface ConsentView extends ClientFace {
  csrf: string;
  action: string;
  /** Where `deny` is posted instead, if not to `action`. */
  cancelAction?: string | undefined;
  accountEmail: string;
  /** OpenID Connect scopes. */
  scopes: ConsentScope[];
  apis: ConsentApi[];
  /** The host the person goes back to: names the receiver when a client's name can't be trusted to. */
  redirectHost?: string | undefined;
  policyUri?: string | undefined;
  termsUri?: string | undefined;
}

/** Posts `xsrf` to `action`, with `logout=yes` when the person agreed to end the session and without it when not. */
export interface LogoutView {
  action: string;
  xsrf: string;
  /** The client that asked for it. */
  clientName?: string | undefined;
  accountEmail?: string | undefined;
}

export interface SignedOutView {
  /** The person chose to keep the session. */
  stillSignedIn?: boolean | undefined;
  /** Only when this one client was signed out of and the session goes on. */
  clientName?: string | undefined;
  /** A way on, for either case. */
  clientUri?: string | undefined;
}

/** Posts `xsrf` and `user_code` to `action`. */
export interface DeviceView {
  action: string;
  xsrf: string;
  /** As it was typed before, or as the address that the device showed has it. */
  userCode?: string | undefined;
  error?: FormError<'user_code'> | undefined;
}

/** Posts `xsrf`, `user_code` and `confirm=yes` or `abort=yes` to `action`. */
export interface DeviceConfirmView extends ClientFace {
  action: string;
  xsrf: string;
  /** As the device shows it. */
  userCode: string;
  /** Who is signed in already. */
  accountEmail?: string | undefined;
  /** Where the device asked from, and what it called itself then. */
  deviceAddress?: string | undefined;
  deviceName?: string | undefined;
}

export interface DeviceDoneView {
  /** The app that was let in; left out when the person denied it. */
  clientName?: string | undefined;
}

export interface ErrorView {
  title: string;
  /** What is wrong and what to do. */
  message: string;
  /** For who mends it: what was wrong with the request, as the protocol says it. */
  detail?: string | undefined;
  /** From `lib/errors.ts`, or the protocol's own. */
  code: string;
  /** Found again in the log. */
  requestId: string;
  backUrl?: string | undefined;
}

/** A time, for people: the same in every language. */
export interface TimeView {
  /** As HTML's `datetime` wants it. */
  iso: string;
  /** In UTC, and says so. */
  text: string;
}

/** Where an account is signed in. */
interface SignInEntryView {
  id: string;
  name: string;
  ip?: string | undefined;
  since: TimeView;
  lastUsed: TimeView;
}

export interface BrowserEntryView extends SignInEntryView {
  /** The browser that shows the page. */
  isHere: boolean;
  /** The apps that are signed out of with it. */
  apps: string[];
}

/** An app with tokens of its own. */
export interface AppEntryView extends SignInEntryView {
  browser?: string | undefined;
}

/** A third party's app, and what the person agreed that it may have. */
export interface ConsentedAppView {
  clientId: string;
  name: string;
  since: TimeView;
  /** OpenID Connect scopes. */
  scopes: ConsentScope[];
  apis: ConsentApi[];
}

export type AccountPasswordField = 'currentPassword' | 'newPassword';

interface ActionForm {
  action: string;
  csrf: string;
}

/**
 * The account page. Each of its forms posts `csrf` to its action: `end` with the `id` of a sign-in, `withdraw` with the `client`,
 * `password` with `currentPassword` and `newPassword`.
 */
export interface AccountView {
  email: string;
  /** What was just done. */
  notice?: string | undefined;
  browsers: BrowserEntryView[];
  apps: AppEntryView[];
  /** The number of sign-ins that are not shown. */
  more?: number | undefined;
  consented: ConsentedAppView[];
  forms: Record<'end' | 'signOutEverywhere' | 'withdraw' | 'password', ActionForm>;
  hasPassword: boolean;
  /** In characters; told to the person and checked by the browser. */
  passwordMinLength: number;
  /** What was wrong with the passwords. */
  error?: FormError<AccountPasswordField> | undefined;
}

/** The page after the account page ended this browser's session. */
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

/** Each view by the name of its template. */
export interface ViewModels {
  'sign-in': SignInView;
  'sign-up': SignUpView;
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
}

export type ViewName = keyof ViewModels;

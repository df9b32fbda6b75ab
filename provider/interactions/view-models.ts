import type {
  AccountAddressView,
  AccountSecondFactorView,
  AccountSignedOutView,
  AccountView,
} from './account/view-models.ts';
import type { DeviceConfirmView, DeviceDoneView, DeviceView } from './device-view-models.ts';
import type {
  AddPasskeyView,
  ClientFace,
  ConsentApi,
  ConsentScope,
  FormError,
  PasskeyFormView,
  QrView,
  SecondFactorField,
} from './view-values.ts';

/**
 * The data that each page needs for rendering. All strings are plain text: the templates escape them. Links must be
 * http, https or a path of ours, and logos must be https; otherwise the page does not show them.
 */

export type SignInField = 'email' | 'password' | 'newPassword';

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
  /** Undefined if a forgotten password can't be recovered. */
  recoverUrl?: string | undefined;
  /** What the person has done just now, for example a new password. */
  notice?: string | undefined;
  /** Asks for a new password, because the stored hash covers only a part of the current one. The length is in characters. */
  newPassword?: { minLength: number } | undefined;
  /** A sign-in without a password. Undefined when passkeys are off. */
  passkey?: PasskeyFormView | undefined;
  /** Whether the script may say that this device can make a passkey. It adds `canAddPasskey=yes` to the form. */
  asksForPasskey?: boolean | undefined;
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

/**
 * After a sign-up, or a sign-in that needs the address confirmed first. Posts `csrf`, the hidden fields and `code` to
 * `action`; with `again=yes` instead of the code to get a new mail; or only `csrf` to `cancelAction`.
 */
export interface ConfirmAddressView extends ClientFace {
  csrf: string;
  action: string;
  cancelAction: string;
  hidden: Readonly<Record<string, string>>;
  email: string;
  /** Whether a mail was sent. If not, there is no code to enter yet. */
  isSent: boolean;
  /** A message about the action that was just done. */
  notice?: string | undefined;
  /** Whether a sign-in is possible before the address is confirmed. */
  mayWait: boolean;
  signInUrl: string;
  error?: FormError<'code'> | undefined;
}

/**
 * The page of the link in a mail: to confirm an address, or to accept an invitation. Posts the hidden fields to `action`, and
 * `password` when that is asked for.
 */
export interface MailLinkView {
  title: string;
  message: string;
  action: string;
  /** Only if the form continues a sign-in. */
  csrf?: string | undefined;
  hidden: Readonly<Record<string, string>>;
  /** Undefined in the browser that signed up, where the password is known. The length is in characters. */
  password?: { email: string; minLength: number; hint: string } | undefined;
  /** The text of the button. */
  submit: string;
  /** A text below the form. */
  aside?: string | undefined;
  error?: FormError<'password'> | undefined;
}

/** The page after the button of a link in a mail. */
export interface LinkDoneView {
  title: string;
  message: string;
  continueUrl: string;
  /** The app that `continueUrl` belongs to. Without it, it is the account page. */
  clientName?: string | undefined;
}

/** Posts `csrf`, the hidden fields and one of the fields to `action`, or only `csrf` to `cancelAction`. */
export interface SecondFactorView extends SecondStepView {
  /** Whether the account has an authenticator app. */
  hasApp: boolean;
  /** The same as on the sign-in page. */
  asksForPasskey?: boolean | undefined;
}

interface SecondStepView extends SecondStepForm {
  /** For how many days the person may trust this browser; missing or 0 if that is not offered. */
  trustDays?: number | undefined;
  /** The waiting time for a person who lost everything; missing or 0 if that is not offered. */
  lostHours?: number | undefined;
  /** The time after that waiting time, when the person asked. */
  removalAt?: string | undefined;
}

interface SecondStepForm extends ClientFace {
  csrf: string;
  action: string;
  cancelAction: string;
  hidden: Readonly<Record<string, string>>;
  /** Undefined if there is none to use or to add. */
  passkey?: PasskeyFormView | undefined;
  error?: FormError<SecondFactorField> | undefined;
}

/** How to add an authenticator app. Posts the same, with `code`. */
export interface AddSecondFactorView extends SecondStepForm {
  qr: QrView;
  secret: string;
}

/** New recovery codes, which are shown once: during a sign-in with a form, on the account page with a link. */
export interface RecoveryCodesView {
  codes: readonly string[];
  form?: Pick<SecondFactorView, 'action' | 'csrf' | 'hidden'> | undefined;
  continueUrl?: string | undefined;
}

export type RecoverField = 'email' | 'code' | 'newPassword';

/** A person who has forgotten the password. Posts the hidden fields and `email` to `action`. */
export interface RecoverView {
  action: string;
  hidden: Readonly<Record<string, string>>;
  email?: string | undefined;
  error?: FormError<RecoverField> | undefined;
  /** The sign-in on whose page the person asked. */
  signInUrl?: string | undefined;
}

/** The mail is on its way, if there is an account. Posts the hidden fields and `code` to `action`. */
export interface RecoverSentView {
  action: string;
  hidden: Readonly<Record<string, string>>;
  /** As the person typed it. */
  email: string;
  error?: FormError<RecoverField> | undefined;
  /** To ask for another mail. */
  againUrl: string;
}

/** The page of the link. Posts the hidden fields and `newPassword` to `action`. */
export interface RecoverPasswordView {
  action: string;
  hidden: Readonly<Record<string, string>>;
  email: string;
  passwordMinLength: number;
  error?: FormError<RecoverField> | undefined;
}

/** The password is changed, in another browser than the one of the sign-in. */
export interface RecoverDoneView {
  accountUrl: string;
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
  'confirm-address': ConfirmAddressView;
  'mail-link': MailLinkView;
  'link-done': LinkDoneView;
  'second-factor': SecondFactorView;
  'add-second-factor': AddSecondFactorView;
  'add-passkey': AddPasskeyView;
  'recovery-codes': RecoveryCodesView;
  recover: RecoverView;
  'recover-sent': RecoverSentView;
  'recover-password': RecoverPasswordView;
  'recover-done': RecoverDoneView;
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
  'account-address': AccountAddressView;
}

export type ViewName = keyof ViewModels;

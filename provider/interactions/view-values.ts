/** The values that several pages share. */

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
 * A form that the script sends: it asks the browser for a passkey with `options`, which are JSON, and posts `csrf`, the
 * hidden fields and the `answer` to `action`.
 */
export interface PasskeyFormView {
  action: string;
  csrf: string;
  hidden: Readonly<Record<string, string>>;
  options: string;
}

export type SecondFactorField = 'code' | 'recoveryCode';

/** A QR code with its border, as an SVG image of `size` × `size` units and the path of its dark squares. */
export type QrView = { size: number; path: string };

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

/** A time for people to read. It is the same in every language. */
export interface TimeView {
  /** The format of HTML's `datetime` attribute. */
  iso: string;
  /** The time in UTC. The text names this time zone. */
  text: string;
}

/** Offers a passkey after a sign-in. Posts `csrf`, the hidden fields of `later`, and `later=yes` to the action of `passkey`. */
export interface AddPasskeyView extends ClientFace {
  passkey: PasskeyFormView;
  later: Pick<PasskeyFormView, 'csrf' | 'hidden'>;
  error?: FormError<never> | undefined;
}

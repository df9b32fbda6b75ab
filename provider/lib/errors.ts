/**
 * Every error that Gatehouse returns to a person or a program has a code of this list. The codes are part of the
 * interface: scripts compare them, so a code is never renamed. The status is the HTTP status of the response.
 */
export const errorStatus = {
  invalid_request: 400,
  invalid_json: 400,
  validation_failed: 400,
  invalid_dpop_proof: 400,
  invalid_client_metadata: 400,
  invalid_redirect_uri: 400,
  invalid_credentials: 401,
  invalid_grant: 401,
  invalid_token: 401,
  insufficient_user_authentication: 401,
  second_factor_required: 401,
  invalid_second_factor: 401,
  second_factor_expired: 401,
  invalid_passkey: 401,
  passkey_expired: 401,
  account_disabled: 403,
  email_not_verified: 403,
  second_factor_missing: 403,
  client_disabled: 403,
  client_not_allowed: 403,
  insufficient_scope: 403,
  origin_not_allowed: 403,
  signup_disabled: 403,
  recovery_disabled: 403,
  passkeys_disabled: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  second_factor_exists: 409,
  address_taken: 409,
  passkey_exists: 409,
  too_many_passkeys: 409,
  interaction_expired: 400,
  sign_in_incomplete: 400,
  session_ended: 400,
  form_expired: 400,
  invalid_one_time_token: 400,
  payload_too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
  headers_too_large: 431,
  internal_error: 500,
  overloaded: 503,
  store_unavailable: 503,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export interface FieldProblem {
  /** The location of the field, as a JSON Pointer (RFC 6901). */
  pointer: string;
  /** What is wrong and what to do. */
  message: string;
}

export interface GatehouseErrorOptions {
  /** For the log only; never sent to a caller. */
  cause?: unknown;
  /** Seconds after which a retry makes sense (RFC 9110 §10.2.3). */
  retryAfterSeconds?: number;
  fields?: FieldProblem[];
  /** What an access token needs, by the names of the challenge: `scope` (RFC 6750 §3), `acr_values`, `max_age` (RFC 9470 §3). */
  challenge?: Record<string, string>;
  /** More members of the problem document (RFC 9457 §3.2). The caller gets them. */
  members?: Readonly<Record<string, unknown>>;
}

/**
 * An error whose message may be shown to the caller. Details that only the log may contain belong in `cause`.
 */
export class GatehouseError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: FieldProblem[] | undefined;
  readonly challenge: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: GatehouseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatehouseError';
    this.code = code;
    this.status = errorStatus[code];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fields = options.fields;
    this.challenge = options.challenge ?? {};
    this.members = options.members;
  }
}

/**
 * Whether this error says that a password, a code or a passkey was tried and not accepted. Such a try counts as a guess. All other
 * errors say that nothing was tried: the server is busy, a store can't be reached, or a new password is not allowed. A
 * right password that needs a code is no guess either.
 */
export function isFailedGuess(error: unknown): boolean {
  return (
    error instanceof GatehouseError &&
    (error.code === 'invalid_credentials' ||
      error.code === 'invalid_second_factor' ||
      error.code === 'invalid_passkey' ||
      error.code === 'account_disabled')
  );
}

/** Whether this error asks for the second factor, after a right password, with a challenge. */
export function isHalfSignIn(error: unknown): boolean {
  return error instanceof GatehouseError && error.members?.challenge !== undefined;
}

/** A store can't be reached or didn't answer in time. Adapters turn their drivers' errors into this one. */
export class StoreUnavailable extends GatehouseError {
  constructor(store: string, cause: unknown) {
    super('store_unavailable', `${store} can't be reached right now. Try again in a moment.`, {
      cause,
      retryAfterSeconds: 2,
    });
    this.name = 'StoreUnavailable';
  }
}

/** A mistake in the configuration or the command line. It is printed without a stack trace; the exit code is 78. */
export class ConfigurationError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

/**
 * The data does not allow a migration yet, and an operator must decide first. Nothing was changed. The message says what
 * to do; `problems` lists all places.
 */
export class MigrationRefused extends Error {
  readonly problems: string[];

  constructor(migration: string, advice: string, problems: string[]) {
    super(`The database was not changed, because ${migration} can't be applied. ${advice}`);
    this.name = 'MigrationRefused';
    this.problems = problems;
  }
}

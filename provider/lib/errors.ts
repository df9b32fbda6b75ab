/**
 * Every error a person or program can meet from us carries one of these codes. They are part of the
 * interface: scripts match on them, so a code is never renamed. The status is what HTTP answers.
 */
export const errorStatus = {
  invalid_request: 400,
  invalid_json: 400,
  validation_failed: 400,
  invalid_credentials: 401,
  invalid_grant: 401,
  invalid_token: 401,
  account_disabled: 403,
  client_not_allowed: 403,
  insufficient_scope: 403,
  origin_not_allowed: 403,
  signup_disabled: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  interaction_expired: 400,
  sign_in_incomplete: 400,
  session_ended: 400,
  form_expired: 400,
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
  /** Where, as a JSON Pointer (RFC 6901). */
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
  /** The scopes an access token would need, for its challenge (RFC 6750 §3). */
  scope?: string;
}

/**
 * An error whose message may be shown to whoever caused it. What only the log may see goes into `cause`.
 */
export class GatehouseError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: FieldProblem[] | undefined;
  readonly scope: string | undefined;

  constructor(code: ErrorCode, message: string, options: GatehouseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatehouseError';
    this.code = code;
    this.status = errorStatus[code];
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fields = options.fields;
    this.scope = options.scope;
  }
}

/**
 * Whether this error says that a password was tried and not accepted. Such a try counts as a guess. All other errors say
 * that no password was tried: the server is busy, a store can't be reached, or a new password is not allowed.
 */
export function isFailedGuess(error: unknown): boolean {
  return (
    error instanceof GatehouseError &&
    (error.code === 'invalid_credentials' || error.code === 'account_disabled')
  );
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

/** What a person who starts or configures Gatehouse did wrong: printed without a stack trace, exit code 78. */
export class ConfigurationError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

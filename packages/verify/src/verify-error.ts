const statusOf = {
  missing_token: 401,
  invalid_token: 401,
  insufficient_user_authentication: 401,
  insufficient_scope: 403,
  insufficient_permissions: 403,
  keys_unavailable: 503,
  revocation_unavailable: 503,
} as const;

/** The reason for a refusal. Codes are part of the interface: they are never renamed. */
export type VerifyErrorCode = keyof typeof statusOf;

export interface VerifyErrorOptions {
  /** For your log only; never sent to the caller. */
  cause?: unknown;
  /** Parameters of the challenge besides `error` and `error_description`: `scope`, `acr_values`, `max_age`. */
  parameters?: Record<string, string>;
  /** The address of the metadata of your API (RFC 9728 §5.1). */
  resourceMetadata?: string | undefined;
}

/** The problem document (RFC 9457) that a caller gets, in the same form as those of Gatehouse. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: VerifyErrorCode;
}

/**
 * A request that must not pass. The message may be shown to the caller. Express, Koa and Fastify also understand
 * `status`, `statusCode` and `headers` if such an error reaches their own error handlers.
 */
export class VerifyError extends Error {
  readonly code: VerifyErrorCode;
  /** 401, 403 or 503. */
  readonly status: number;
  readonly statusCode: number;
  /** Tells Koa that the message is for the caller. */
  readonly expose = true;
  /** The headers of the response, with the challenge (RFC 6750 §3). */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: VerifyErrorCode, message: string, options: VerifyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'VerifyError';
    this.code = code;
    this.status = statusOf[code];
    this.statusCode = this.status;
    this.headers = { 'Cache-Control': 'no-store', ...specialHeaders(code, message, options) };
  }

  /** The body of the response, with the media type `application/problem+json`. */
  toProblem(): Problem {
    const { code, status, message: detail } = this;
    return { type: `urn:gatehouse:problem:${code}`, title: code.replaceAll('_', ' '), status, detail, code };
  }
}

function specialHeaders(
  code: VerifyErrorCode,
  message: string,
  { parameters = {}, resourceMetadata }: VerifyErrorOptions,
): Record<string, string> {
  if (statusOf[code] === 503) return { 'Retry-After': '2' };
  // A new token would have the same permissions, so a challenge would only make clients ask for one in vain.
  if (code === 'insufficient_permissions') return {};
  // RFC 6750 §3: the answer to a request without a token has no error code.
  const error = code === 'missing_token' ? {} : { error: code, error_description: message, ...parameters };
  const pairs = Object.entries({
    ...error,
    ...(resourceMetadata === undefined ? {} : { resource_metadata: resourceMetadata }),
  }).map(([name, value]) => `${name}="${value}"`);
  return { 'WWW-Authenticate': ['Bearer', pairs.join(', ')].filter((part) => part !== '').join(' ') };
}

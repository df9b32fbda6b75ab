import { type ErrorCode, GatehouseError } from '../lib/errors.ts';

const codes: Record<string, ErrorCode> = {
  invalid_grant: 'invalid_grant',
  invalid_client: 'client_not_allowed',
  unauthorized_client: 'client_not_allowed',
  invalid_scope: 'invalid_request',
  invalid_target: 'invalid_request',
  invalid_request: 'invalid_request',
  temporarily_unavailable: 'store_unavailable',
};

/** The token endpoint's error (RFC 6749 §5.2) in the words of the JSON API; one of our own beneath it comes back out. */
export function fromProtocolError(error: unknown): unknown {
  const {
    error: code,
    error_description: description,
    cause,
  } = error as {
    error?: string;
    error_description?: string;
    cause?: unknown;
  };
  if (cause instanceof GatehouseError) return cause;
  const ours = code === undefined ? undefined : codes[code];
  return ours ? new GatehouseError(ours, description ?? 'The request was refused.', { cause: error }) : error;
}

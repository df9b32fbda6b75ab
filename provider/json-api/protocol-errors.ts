import { type ErrorCode, GatehouseError } from '../lib/errors.ts';

const codes: Record<string, ErrorCode> = {
  invalid_grant: 'invalid_grant',
  invalid_dpop_proof: 'invalid_dpop_proof',
  invalid_client: 'client_not_allowed',
  unauthorized_client: 'client_not_allowed',
  invalid_scope: 'invalid_request',
  invalid_target: 'invalid_request',
  invalid_request: 'invalid_request',
  temporarily_unavailable: 'store_unavailable',
};

/** Texts for authors of apps: the library's texts are written for authors of client libraries. */
const sentences: Partial<Record<ErrorCode, string>> = {
  invalid_grant: 'This sign-in has ended, was used already, or never was. Sign in again.',
  invalid_dpop_proof:
    'A DPoP proof is missing or not valid for this request. Sign a new one with this URL and this method (RFC 9449 §4.2).',
  client_not_allowed: "This client may not do that. Look at its document's grants.",
  store_unavailable: 'This can’t be answered right now. Try again in a moment.',
};

/**
 * Converts an error of the token endpoint (RFC 6749 §5.2) to an error of the JSON API. If one of our own errors is the
 * cause, that error is returned.
 */
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
  if (!ours) return error;
  const sentence = sentences[ours] ?? `The request was refused: ${description ?? code}.`;
  return new GatehouseError(ours, sentence, { cause: error });
}

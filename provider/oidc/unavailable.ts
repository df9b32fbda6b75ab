import { errors } from 'oidc-provider';
import type { GatehouseError } from '../lib/errors.ts';

/**
 * Our error as the protocol tells it (RFC 6749 §4.1.2.1 `temporarily_unavailable`, RFC 9110 §15.6.4), with
 * Retry-After when it is worth waiting. Other statuses become `invalid_grant`'s 400.
 */
export function unavailable(
  error: GatehouseError,
  ctx: { set(name: string, value: string): void } | undefined,
): errors.OIDCProviderError {
  if (error.retryAfterSeconds !== undefined) ctx?.set('Retry-After', String(error.retryAfterSeconds));
  const told = new errors.TemporarilyUnavailable(error.message, { cause: error } as never);
  return Object.assign(told, { status: error.status, statusCode: error.status, expose: true });
}

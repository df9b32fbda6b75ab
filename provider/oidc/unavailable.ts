import { errors } from 'oidc-provider';
import { GatehouseError } from '../lib/errors.ts';
import { currentContext } from './current-request.ts';

/**
 * Runs work that reaches a store. When the store cannot be reached or is overloaded, the response is 503
 * `temporarily_unavailable` (RFC 6749 §4.1.2.1, RFC 9110 §15.6.4) with Retry-After, where the library would answer 500.
 */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GatehouseError) throw unavailable(error);
    throw error;
  }
}

function unavailable(error: GatehouseError): errors.OIDCProviderError {
  if (error.retryAfterSeconds !== undefined)
    currentContext()?.set('Retry-After', String(error.retryAfterSeconds));
  const told = new errors.TemporarilyUnavailable(error.message, { cause: error } as never);
  return Object.assign(told, { status: error.status, statusCode: error.status, expose: true });
}

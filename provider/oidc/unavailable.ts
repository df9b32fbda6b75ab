import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import { GatehouseError } from '../lib/errors.ts';

/**
 * Runs what reaches a store. When that can't be reached, or has too much to do, the protocol says so: 503
 * `temporarily_unavailable` (RFC 6749 §4.1.2.1, RFC 9110 §15.6.4) with Retry-After, where the library would say 500.
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
  const ctx = Provider.ctx as KoaContextWithOIDC | undefined;
  if (error.retryAfterSeconds !== undefined) ctx?.set('Retry-After', String(error.retryAfterSeconds));
  const told = new errors.TemporarilyUnavailable(error.message, { cause: error } as never);
  return Object.assign(told, { status: error.status, statusCode: error.status, expose: true });
}

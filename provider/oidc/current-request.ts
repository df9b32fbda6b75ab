import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { ClientDocument } from '../clients/client-document.ts';
import { GatehouseError } from '../lib/errors.ts';

/** The library's context of the request under way; undefined outside of one. */
export const currentContext = (): KoaContextWithOIDC | undefined =>
  Provider.ctx as KoaContextWithOIDC | undefined;

const documents = new WeakMap<object, ClientDocument>();

/** Remembers the document of the client that makes a request, so that it is looked up once. @param oidc the library's `ctx.oidc` */
export function rememberClient(oidc: object, document: ClientDocument): void {
  documents.set(oidc, document);
}

/**
 * The document of the client that makes this request, as it was when the request named it.
 * @throws InvalidClient (RFC 6749 §5.2) when the client was removed before that
 */
export function clientOf({ oidc }: KoaContextWithOIDC): ClientDocument {
  const document = documents.get(oidc);
  if (document === undefined) throw new errors.InvalidClient('client is unknown');
  return document;
}

/**
 * Runs work that reaches a store. When the store cannot be reached or is overloaded, the response is 503
 * `temporarily_unavailable` (RFC 6749 §4.1.2.1, RFC 9110 §15.6.4) with Retry-After, where the library would answer 500.
 */
export const orUnavailable = <T>(work: () => Promise<T>): Promise<T> => work().catch(rethrow);

function rethrow(error: unknown): never {
  throw error instanceof GatehouseError ? unavailable(error) : error;
}

function unavailable(error: GatehouseError): errors.OIDCProviderError {
  if (error.retryAfterSeconds !== undefined)
    currentContext()?.set('Retry-After', String(error.retryAfterSeconds));
  const told = new errors.TemporarilyUnavailable(error.message, { cause: error } as never);
  return Object.assign(told, { status: error.status, statusCode: error.status, expose: true });
}

import { errors, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { ClientDocument } from '../clients/client-document.ts';

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

import type { IncomingMessage, ServerResponse } from 'node:http';
import fresh from 'fresh';
import { type PlainHandler, sendEmpty, sendText } from '../lib/message-body.ts';
import { type Associations, associationPaths } from './app-associations.ts';

/** A document as JSON. */
export interface PublishedDocument {
  json: string;
  /** Changes when the document changes. Undefined for a document that callers read once. */
  etag?: string;
}

export interface PublishedDocumentsDeps {
  /** The current public keys. */
  jwks(): PublishedDocument;
  /** The metadata of the issuer. */
  discovery(): PublishedDocument;
  /** The description of the JSON API. It is called once, when it is first read. */
  openApi(): object;
  /** How long others may cache the key set, in seconds. It is much shorter than the lead time. */
  jwksMaxAgeSeconds: number;
  associations: Associations;
}

const maxAgeSeconds = 3600;

/**
 * The handlers of the documents that anyone may read and cache: the metadata (OpenID Connect Discovery §4, RFC 8414), the
 * key set (RFC 7517 §5), the description of the JSON API, and the files about apps that are configured.
 */
export function publishedDocuments(deps: PublishedDocumentsDeps): Record<string, PlainHandler> {
  let openApi: PublishedDocument | undefined;
  const described = () => {
    openApi ??= { json: JSON.stringify(deps.openApi()) };
    return openApi;
  };
  const files = associationPaths.flatMap((path) => {
    const file = deps.associations[path];
    if (!file) return [];
    const document = { json: JSON.stringify(file) };
    return [[path, publish(() => document, maxAgeSeconds)]];
  });
  const discovery = publish(deps.discovery, maxAgeSeconds);
  return {
    '/.well-known/openid-configuration': discovery,
    '/.well-known/oauth-authorization-server': discovery,
    '/.well-known/jwks.json': publish(deps.jwks, deps.jwksMaxAgeSeconds),
    '/openapi.json': publish(described, maxAgeSeconds),
    ...Object.fromEntries(files),
  };
}

function publish(document: () => PublishedDocument, maxAge: number): PlainHandler {
  return (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (request.method === 'OPTIONS') return preflight(request, response);
    response.setHeader('Cache-Control', `public, max-age=${maxAge}, stale-while-revalidate=${maxAge}`);
    const { json, etag } = document();
    if (etag !== undefined) {
      response.setHeader('ETag', etag);
      if (fresh(request.headers, { etag })) return sendEmpty(response, 304);
    }
    sendText(response, 200, json);
  };
}

/** Answers a preflight request (CORS). A page may send any header, because tracing libraries add headers of their own. */
function preflight({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Access-Control-Allow-Methods', 'GET');
  response.setHeader('Access-Control-Max-Age', '3600');
  const asked = headers['access-control-request-headers'];
  if (asked !== undefined) response.setHeader('Access-Control-Allow-Headers', asked);
  sendEmpty(response, 204);
}

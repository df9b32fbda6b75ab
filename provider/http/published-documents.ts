import Router from '@koa/router';
import type { Context } from 'koa';
import { type Associations, associationPaths } from './app-associations.ts';

export interface PublishedDocumentsDeps {
  /** The current public keys and their ETag. */
  jwks(): { jwks: object; etag: string };
  openApi: object;
  /** How long others may cache the key set, in seconds. It is much shorter than the lead time. */
  jwksMaxAgeSeconds: number;
  associations: Associations;
}

/**
 * Serves documents that anyone may read and cache: the key set (RFC 7517 §5), the description of the JSON API, and the
 * files about apps that are configured.
 */
export function publishedDocuments(deps: PublishedDocumentsDeps): Router {
  const router = new Router();
  router.get('/.well-known/jwks.json', (ctx) => {
    const { jwks, etag } = deps.jwks();
    publish(ctx, jwks, { etag, maxAgeSeconds: deps.jwksMaxAgeSeconds });
  });
  router.get('/openapi.json', (ctx) => publish(ctx, deps.openApi, { maxAgeSeconds: 3600 }));
  router.options(['/.well-known/jwks.json', '/openapi.json'], allowReading);
  for (const path of associationPaths) {
    const content = () => deps.associations[path];
    router.get(path, (ctx, next) => {
      const document = content();
      return document ? publish(ctx, document, { maxAgeSeconds: 3600 }) : next();
    });
    router.options(path, (ctx, next) => (content() ? allowReading(ctx) : next()));
  }
  return router;
}

/**
 * Answers a preflight request (CORS) in the same way as the library does for discovery. A page may send any header,
 * because tracing libraries add headers of their own to every request.
 */
function allowReading(ctx: Context): void {
  ctx.status = 204;
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set('Access-Control-Allow-Methods', 'GET');
  ctx.set('Access-Control-Max-Age', '3600');
  const asked = ctx.get('Access-Control-Request-Headers');
  if (asked !== '') ctx.set('Access-Control-Allow-Headers', asked);
}

function publish(ctx: Context, document: object, caching: { etag?: string; maxAgeSeconds: number }): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set(
    'Cache-Control',
    `public, max-age=${caching.maxAgeSeconds}, stale-while-revalidate=${caching.maxAgeSeconds}`,
  );
  ctx.status = 200;
  if (caching.etag) ctx.set('ETag', caching.etag);
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.type = 'application/json';
  ctx.body = JSON.stringify(document);
}

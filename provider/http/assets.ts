import Router from '@koa/router';

/** A file of the pages. */
export interface Asset {
  name: string;
  /** The media type. */
  type: string;
  content: Buffer;
  /** Changes when the content changes. Pages request the file with this value as the parameter `v`. */
  version: string;
}

/**
 * The policy for a picture that is opened directly. It may have styles, but it can't run or load anything. This is
 * needed because SVG is also a document.
 */
const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/** Serves the files of the pages. Their addresses contain a version, so browsers may cache them permanently. */
export function assets(files: ReadonlyMap<string, Asset>): Router {
  const router = new Router();
  router.get('/assets/:name', async (ctx, next) => {
    const file = files.get(String(ctx.params.name));
    if (file === undefined) return next();
    // During a rolling update, a page from one pod may request a file from another pod. That pod may have another
    // version of the file, which must not be cached permanently.
    const isMeant = ctx.query.v === file.version;
    ctx.set('Cache-Control', isMeant ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Content-Security-Policy', policy);
    ctx.type = file.type;
    ctx.body = file.content;
  });
  return router;
}

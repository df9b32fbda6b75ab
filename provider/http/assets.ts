import Router from '@koa/router';

/** A file of the pages. */
export interface Asset {
  name: string;
  /** The media type. */
  type: string;
  content: Buffer;
  /** Changes with the content; pages ask for it as `v`. */
  version: string;
}

/** A picture opened by itself may have a style, and neither runs nor loads anything: SVG is a document too. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

/** The pages' files. Their addresses carry a version, so browsers may keep them for good. */
export function assets(files: ReadonlyMap<string, Asset>): Router {
  const router = new Router();
  router.get('/assets/:name', async (ctx, next) => {
    const file = files.get(String(ctx.params.name));
    if (file === undefined) return next();
    // While pods change one by one, a page of one asks the other: what that has under this address isn't meant for good.
    const isMeant = ctx.query.v === file.version;
    ctx.set('Cache-Control', isMeant ? 'public, max-age=31536000, immutable' : 'no-cache');
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Content-Security-Policy', policy);
    ctx.type = file.type;
    ctx.body = file.content;
  });
  return router;
}

import { readFileSync } from 'node:fs';
import Router from '@koa/router';

const types: Record<string, string> = {
  'gatehouse.css': 'text/css; charset=utf-8',
  'gatehouse.svg': 'image/svg+xml',
};

/**
 * The pages' files, read once. Their addresses carry a version, so browsers may keep them for good.
 * @param fileOf where a file of this name lies
 */
export function assets(fileOf: (name: string) => string): Router {
  const router = new Router();
  for (const [name, type] of Object.entries(types)) {
    const content = readFileSync(fileOf(name));
    router.get(`/assets/${name}`, (ctx) => {
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable');
      ctx.set('X-Content-Type-Options', 'nosniff');
      ctx.type = type;
      ctx.body = content;
    });
  }
  return router;
}

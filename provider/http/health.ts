import Router from '@koa/router';
import Koa from 'koa';
import type { Readiness } from './readiness.ts';

export interface OperationsDeps {
  readiness: Readiness;
  /** False before the start is done and from SIGTERM on. */
  isReady(): boolean;
  metrics(): Promise<{ contentType: string; body: string }>;
}

/** The operations listener's application: `/livez`, `/readyz`, `/metrics`, and nothing else (DESIGN §4). */
export function createOperationsApp(deps: OperationsDeps): Koa {
  const app = new Koa();
  const router = new Router();
  router.get('/livez', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  router.get('/readyz', async (ctx) => {
    const { ready, failing } = await deps.readiness.check();
    const serving = deps.isReady();
    const body = { status: ready && serving ? 'ok' : 'unready', ...(serving ? {} : { stopping: true }) };
    ctx.status = ready && serving ? 200 : 503;
    ctx.body = { ...body, ...(failing.length > 0 ? { failing } : {}) };
  });
  router.get('/metrics', async (ctx) => {
    const { contentType, body } = await deps.metrics();
    ctx.set('Content-Type', contentType);
    ctx.body = body;
  });
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

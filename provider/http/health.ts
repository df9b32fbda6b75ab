import Router from '@koa/router';
import Koa from 'koa';
import type { Readiness } from './readiness.ts';

export interface OperationsDeps {
  /** The release that runs, as `gatehouse version` prints it. */
  version: string;
  readiness: Readiness;
  /** The state is `serving` from the end of the start until SIGTERM. */
  phase(): 'starting' | 'serving' | 'stopping';
  metrics(): Promise<{ contentType: string; body: string }>;
}

/** The operations listener's application: `/livez`, `/readyz`, `/metrics`, and nothing else (DESIGN §4). */
export function createOperationsApp(deps: OperationsDeps): Koa {
  const app = new Koa();
  const router = new Router();
  router.get('/livez', (ctx) => {
    ctx.body = { status: 'ok', version: deps.version };
  });
  router.get('/readyz', async (ctx) => {
    const { ready, failing } = await deps.readiness.check();
    const phase = deps.phase();
    const ok = ready && phase === 'serving';
    ctx.status = ok ? 200 : 503;
    ctx.body = {
      status: ok ? 'ok' : 'unready',
      ...(phase === 'serving' ? {} : { [phase]: true }),
      ...(failing.length > 0 ? { failing } : {}),
    };
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

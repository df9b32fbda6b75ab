import Router from '@koa/router';
import Koa from 'koa';
import type { Dependency } from '../ports/dependency.ts';

export interface OperationsDeps {
  dependencies: readonly Dependency[];
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
    const failing = await failingDependencies(deps.dependencies);
    const ready = deps.isReady() && failing.length === 0;
    ctx.status = ready ? 200 : 503;
    ctx.body = ready ? { status: 'ok' } : { status: 'unready', stopping: !deps.isReady(), failing };
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

async function failingDependencies(dependencies: readonly Dependency[]): Promise<string[]> {
  const results = await Promise.allSettled(dependencies.map((dependency) => dependency.ping()));
  return dependencies.filter((_, index) => results[index]?.status === 'rejected').map(({ name }) => name);
}

import type { Context, Middleware } from 'koa';

export type LimitedRequest = 'authorize' | 'token' | 'refresh';

export interface LimitRequestsDeps {
  /** Counts a request of whoever asks; throws `too_many_requests`. */
  count(action: LimitedRequest): Promise<void>;
  /** Whether a page of this origin may call: it should be told why it was refused. */
  isAllowedOrigin(origin: string): boolean;
}

const limited: { method: string; path: RegExp; action: LimitedRequest }[] = [
  { method: 'GET', path: /^\/(oauth2\/authorize|device)$/, action: 'authorize' },
  { method: 'POST', path: /^\/(oauth2\/(token|par|device|revoke)|auth\/logout)$/, action: 'token' },
  { method: 'POST', path: /^\/auth\/refresh$/, action: 'refresh' },
];

/** Counts requests that anybody may send, before a body is read or a store asked for anything else. */
export function limitRequests(deps: LimitRequestsDeps): Middleware {
  return async (ctx, next) => {
    const row = limited.find(({ method, path }) => ctx.method === method && path.test(ctx.path));
    if (row) {
      try {
        await deps.count(row.action);
      } catch (error) {
        if (row.action !== 'authorize') tellOrigin(ctx, deps);
        throw error;
      }
    }
    await next();
  };
}

/** Without these a browser keeps the answer from the page that asked. */
function tellOrigin(ctx: Context, { isAllowedOrigin }: LimitRequestsDeps): void {
  ctx.vary('Origin');
  const origin = ctx.get('Origin');
  if (origin === '' || !isAllowedOrigin(origin)) return;
  ctx.set('Access-Control-Allow-Origin', origin);
  ctx.set('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id');
}

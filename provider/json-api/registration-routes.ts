import Router, { type RouterContext } from '@koa/router';
import { z } from 'zod';
import type { ClientRegistration } from '../clients/client-registration.ts';
import { readJson } from '../lib/message-body.ts';
import { noteClient } from '../lib/request-scope.ts';

export interface RegistrationRouteDeps {
  registration: ClientRegistration;
  bodyLimitBytes: number;
}

const metadataSchema = z.record(z.string(), z.unknown());

/** A token in the Authorization header (RFC 6750 §2.1), or '' where there is none. */
const bearerOf = (ctx: RouterContext) =>
  /^bearer +([\w~+/.-]+=*)$/i.exec(ctx.get('Authorization'))?.[1] ?? '';

/**
 * The endpoint where clients register themselves (RFC 7591), and one for each client that did (RFC 7592). They use no
 * cookie, so every origin may call them: apps in a browser register too.
 */
export function registrationRoutes({ registration, bodyLimitBytes }: RegistrationRouteDeps): Router {
  const router = new Router({ sensitive: true, strict: true });
  const all = '/oauth2/register';
  const one = `${all}/:client`;

  const metadataOf = (ctx: RouterContext) => readJson(ctx.req, metadataSchema, bodyLimitBytes);
  const clientOf = (ctx: RouterContext) => {
    const id = String(ctx.params.client);
    noteClient(id);
    return id;
  };

  router.use(all, async (ctx, next) => {
    ctx.set('Access-Control-Allow-Origin', '*');
    ctx.set('Access-Control-Expose-Headers', 'Retry-After, WWW-Authenticate, X-Request-Id');
    ctx.set('Cache-Control', 'no-store');
    await next();
  });
  const preflight = (methods: string) => (ctx: RouterContext) => {
    ctx.status = 204;
    ctx.set('Access-Control-Allow-Methods', methods);
    ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type');
    ctx.set('Access-Control-Max-Age', '3600');
  };
  router.options(all, preflight('POST'));
  router.options(one, preflight('GET, PUT, DELETE'));
  router.post(all, async (ctx) => {
    const created = await registration.create(await metadataOf(ctx), bearerOf(ctx));
    noteClient(String(created.client_id));
    ctx.status = 201;
    ctx.body = created;
  });
  router.get(one, async (ctx) => {
    ctx.body = await registration.read(clientOf(ctx), bearerOf(ctx));
  });
  router.put(one, async (ctx) => {
    ctx.body = await registration.replace(clientOf(ctx), await metadataOf(ctx), bearerOf(ctx));
  });
  router.delete(one, async (ctx) => {
    await registration.remove(clientOf(ctx), bearerOf(ctx));
    ctx.status = 204;
  });
  return router;
}

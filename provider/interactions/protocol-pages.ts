import Router from '@koa/router';
import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../ports/account-store.ts';
import type { Renderer } from './render.ts';
import { sendPage } from './send-page.ts';

/** The library's logout, in our pages (OpenID Connect RP-Initiated Logout §2, §3). */
export function createLogoutPages(deps: {
  renderer: Renderer;
  account(id: string): Promise<Account | undefined>;
}) {
  return {
    confirm: async (ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void> => {
      const { session, client } = ctx.oidc;
      const account = await deps.account(session?.accountId ?? '');
      const html = deps.renderer.render('logout', {
        ...form,
        clientName: client?.clientName,
        accountEmail: account?.email,
      });
      const { postLogoutRedirectUri } = (session?.state ?? {}) as { postLogoutRedirectUri?: string };
      sendPage(ctx, html, { redirectsTo: postLogoutRedirectUri ? [postLogoutRedirectUri] : [] });
    },
    done: (ctx: KoaContextWithOIDC): void => {
      const { client } = ctx.oidc;
      const html = deps.renderer.render('signed-out', {
        clientName: client?.clientName,
        clientUri: client?.clientUri,
      });
      sendPage(ctx, html);
    },
  };
}

interface ErrorPageDeps {
  renderer: Renderer;
  requestId(): string;
}

/** The page for what went wrong on our own routes. */
export function createErrorPage({ renderer, requestId }: ErrorPageDeps) {
  return (ctx: Context, error: { code: string; message: string; status: number }): void => {
    const title = titleFor(renderer, error.code, error.status);
    const { code, message } = error;
    sendPage(ctx, renderer.render('error', { title, message, code, requestId: requestId() }), {
      status: error.status,
    });
  };
}

/** The page for an authorization or logout request that can't be answered to the client (RFC 6749 §4.1.2.1). */
export function createProtocolErrorPage({ renderer, requestId }: ErrorPageDeps) {
  return (ctx: KoaContextWithOIDC, out: { error: string; error_description?: string | undefined }): void => {
    const title = titleFor(renderer, out.error, ctx.status);
    const message = out.error_description ?? renderer.text('problem.internal.message');
    const page = renderer.render('error', { title, message, code: out.error, requestId: requestId() });
    sendPage(ctx, page, { status: ctx.status });
  };
}

function titleFor(renderer: Renderer, code: string, status: number): string {
  if (code === 'interaction_expired') return renderer.text('problem.interaction-expired.title');
  if (code === 'not_found') return renderer.text('problem.not-found.title');
  if (status === 503) return renderer.text('problem.unavailable.title');
  return renderer.text(status >= 500 ? 'problem.internal.title' : 'problem.title');
}

/** The page at `/`, for whoever wonders what answers here. */
export function homeRoutes({ renderer, issuer }: { renderer: Renderer; issuer: string }): Router {
  const router = new Router();
  router.get('/', (ctx) => {
    const discoveryUrl = `${issuer}/.well-known/openid-configuration`;
    sendPage(ctx, renderer.render('home', { issuer, discoveryUrl, openApiUrl: `${issuer}/openapi.json` }));
  });
  return router;
}

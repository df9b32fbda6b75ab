import Router from '@koa/router';
import type { Context } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../ports/account-store.ts';
import type { LanguageSource } from './pages.ts';
import type { Renderer } from './render.ts';
import { sendPage } from './send-page.ts';

/** Renders the library's logout with our pages (OpenID Connect RP-Initiated Logout §2, §3). */
export function createLogoutPages(deps: {
  renderer(ctx: LanguageSource): Renderer;
  account(id: string): Promise<Account | undefined>;
}) {
  return {
    confirm: async (ctx: KoaContextWithOIDC, form: { action: string; xsrf: string }): Promise<void> => {
      const { session, client } = ctx.oidc;
      const account = await deps.account(session?.accountId ?? '');
      const renderer = deps.renderer(ctx);
      // The library does not keep `ui_locales`, but the next page must have the same language.
      const asked = ctx.oidc.params?.ui_locales === undefined ? '' : `?ui_locales=${renderer.language}`;
      const page = renderer.render('logout', {
        ...form,
        action: `${form.action}${asked}`,
        clientName: client?.clientName,
        accountEmail: account?.email,
      });
      const { postLogoutRedirectUri } = (session?.state ?? {}) as { postLogoutRedirectUri?: string };
      sendPage(ctx, page, { redirectsTo: postLogoutRedirectUri ? [postLogoutRedirectUri] : [] });
    },
    done: async (ctx: KoaContextWithOIDC): Promise<void> => {
      const { client, provider } = ctx.oidc;
      // Without a client, the library calls this after the person has agreed and also after the person has declined.
      const session = client ? undefined : await provider.Session.get(ctx);
      const page = deps.renderer(ctx).render('signed-out', {
        stillSignedIn: session?.accountId !== undefined,
        clientName: client?.clientName,
        clientUri: client?.clientUri,
      });
      sendPage(ctx, page);
    },
  };
}

interface ErrorPageDeps {
  renderer(ctx: LanguageSource): Renderer;
  requestId(): string;
}

/** Creates the page for errors on our own routes. */
export function createErrorPage(deps: ErrorPageDeps & { accountUrl: string }) {
  return (ctx: Context, error: { code: string; message: string; status: number }): void => {
    const { code, status } = error;
    const renderer = deps.renderer(ctx);
    const words = wordsFor(renderer, code) ?? {
      title: renderer.text('problem.title'),
      message: renderer.text('problem.request.message'),
      detail: error.message,
    };
    const backUrl = ofAccountPage.has(code) ? deps.accountUrl : undefined;
    const page = renderer.render('error', { ...words, code, requestId: deps.requestId(), backUrl });
    sendPage(ctx, page, { status });
  };
}

/**
 * Creates the page for an authorization or logout request whose error can't be sent to the client (RFC 6749 §4.1.2.1).
 */
export function createProtocolErrorPage(deps: ErrorPageDeps) {
  return (
    ctx: KoaContextWithOIDC,
    out: { error: string; error_description?: string | undefined },
    error: Error,
  ): void => {
    const code = error instanceof errors.SessionNotFound ? 'interaction_expired' : out.error;
    const renderer = deps.renderer(ctx);
    const stale = ctx.oidc.route === 'end_session_confirm' && code === 'invalid_request';
    const words = wordsFor(renderer, stale ? 'sign_out_expired' : code) ?? {
      title: renderer.text('problem.title'),
      message: renderer.text('problem.request.message'),
      detail: out.error_description,
    };
    const page = renderer.render('error', { ...words, code, requestId: deps.requestId() });
    sendPage(ctx, page, { status: ctx.status });
  };
}

/** Errors of the account page. For these, the error page shows a link back to it. */
const ofAccountPage = new Set(['sign_in_incomplete', 'session_ended', 'form_expired']);

/** The errors that the catalogue has texts for. */
const problems = new Map([
  ['sign_in_incomplete', 'problem.sign-in-incomplete'],
  ['session_ended', 'problem.session-ended'],
  ['form_expired', 'problem.form-expired'],
  ['not_found', 'problem.not-found'],
  ['interaction_expired', 'problem.interaction-expired'],
  ['sign_out_expired', 'problem.sign-out-expired'],
  ['client_not_allowed', 'problem.client-gone'],
  ['signup_disabled', 'problem.sign-up-closed'],
  ['internal_error', 'problem.internal'],
  ['server_error', 'problem.internal'],
  ['overloaded', 'problem.unavailable'],
  ['too_many_requests', 'problem.unavailable'],
  ['store_unavailable', 'problem.unavailable'],
  ['temporarily_unavailable', 'problem.unavailable'],
]);

function wordsFor(renderer: Renderer, code: string): { title: string; message: string } | undefined {
  const key = problems.get(code);
  if (key === undefined) return undefined;
  return { title: renderer.text(`${key}.title`), message: renderer.text(`${key}.message`) };
}

/** Creates the route for the page at `/`, which explains this server. */
export function homeRoutes(deps: { renderer(ctx: LanguageSource): Renderer; issuer: string }): Router {
  const { issuer } = deps;
  const router = new Router();
  router.get('/', (ctx) => {
    const discoveryUrl = `${issuer}/.well-known/openid-configuration`;
    const model = { issuer, discoveryUrl, openApiUrl: `${issuer}/openapi.json` };
    sendPage(ctx, deps.renderer(ctx).render('home', model));
  });
  return router;
}

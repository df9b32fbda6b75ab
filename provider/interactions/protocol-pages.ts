import Router from '@koa/router';
import type { Context } from 'koa';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientDocument } from '../clients/client-document.ts';
import { GatehouseError } from '../lib/errors.ts';
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
      const kept = new URLSearchParams();
      if (ctx.oidc.params?.ui_locales !== undefined) kept.set('ui_locales', renderer.language);
      // The page for an expired form names the app.
      if (client) kept.set('client_id', client.clientId);
      const page = renderer.render('logout', {
        ...form,
        action: kept.size > 0 ? `${form.action}?${kept}` : form.action,
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

/** The data of a client that error pages show. */
export type LinkedClient = Pick<ClientDocument, 'name' | 'clientUri' | 'initiateLoginUri'>;

interface ErrorPageDeps {
  renderer(ctx: LanguageSource): Renderer;
  requestId(): string;
  issuer: string;
  client(id: string): LinkedClient | undefined;
}

/** The code that the page for an error of the protocol shows. */
function codeOf(error: Error, out: { error: string }): string {
  if (error instanceof errors.SessionNotFound) return 'interaction_expired';
  const { cause } = error;
  return cause instanceof GatehouseError && cause.code === 'client_disabled' ? cause.code : out.error;
}

/** Creates the page for errors on our own routes. */
export function createErrorPage(deps: ErrorPageDeps & { accountUrl: string }) {
  return (ctx: Context, error: { code: string; message: string; status: number }): void => {
    const { code, status } = error;
    const renderer = deps.renderer(ctx);
    // See `interactionPath`: the address names the client, also when the sign-in itself is forgotten.
    const client = ctx.path.startsWith('/interaction/') ? namedClient(deps, ctx) : undefined;
    const words = wordsFor(renderer, code, client) ?? {
      title: renderer.text('problem.title'),
      message: renderer.text('problem.request.message'),
      detail: error.message,
    };
    const backUrl = ofAccountPage.has(code) ? deps.accountUrl : startUrl(client, deps.issuer);
    const page = renderer.render('error', {
      ...words,
      code,
      requestId: deps.requestId(),
      backUrl,
      clientName: client?.name,
    });
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
    const code = codeOf(error, out);
    const renderer = deps.renderer(ctx);
    const client = deps.client(ctx.oidc.client?.clientId ?? '') ?? namedClient(deps, ctx);
    const stale = ctx.oidc.route === 'end_session_confirm' && code === 'invalid_request';
    const words = wordsFor(renderer, stale ? 'sign_out_expired' : code, client) ?? {
      title: renderer.text('problem.title'),
      message: renderer.text('problem.request.message'),
      detail: out.error_description,
    };
    const isLogout = ctx.oidc.route.startsWith('end_session');
    const page = renderer.render('error', {
      ...words,
      code,
      requestId: deps.requestId(),
      backUrl: isLogout ? client?.clientUri : startUrl(client, deps.issuer),
      clientName: client?.name,
    });
    sendPage(ctx, page, { status: ctx.status });
  };
}

/** Any address may name any client: a page shows only what its document says. */
function namedClient({ client }: ErrorPageDeps, { query }: Pick<Context, 'query'>): LinkedClient | undefined {
  return typeof query.client_id === 'string' ? client(query.client_id) : undefined;
}

/**
 * The address where the person can begin again: the app's own start of a sign-in (OpenID Connect Core §4), else its home
 * page.
 */
export function startUrl(client: LinkedClient | undefined, issuer: string): string | undefined {
  if (client?.initiateLoginUri === undefined) return client?.clientUri;
  const url = new URL(client.initiateLoginUri);
  url.searchParams.set('iss', issuer);
  return url.href;
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
  ['invalid_one_time_token', 'problem.link-invalid'],
  ['client_not_allowed', 'problem.client-gone'],
  ['client_disabled', 'problem.client-disabled'],
  ['signup_disabled', 'problem.sign-up-closed'],
  ['recovery_disabled', 'problem.recovery-closed'],
  ['internal_error', 'problem.internal'],
  ['server_error', 'problem.internal'],
  ['overloaded', 'problem.unavailable'],
  ['too_many_requests', 'problem.unavailable'],
  ['store_unavailable', 'problem.unavailable'],
  ['temporarily_unavailable', 'problem.unavailable'],
]);

/** The errors whose message is about the app. With a known client, the message names it. */
const namingTheApp = new Map([
  ['problem.interaction-expired', 'problem.interaction-expired.client-message'],
  ['problem.sign-out-expired', 'problem.sign-out-expired.client-message'],
  ['problem.client-disabled', 'problem.client-disabled.client-message'],
]);

function wordsFor(
  renderer: Renderer,
  code: string,
  client: LinkedClient | undefined,
): { title: string; message: string } | undefined {
  const key = problems.get(code);
  if (key === undefined) return undefined;
  const title = renderer.text(`${key}.title`);
  const naming = namingTheApp.get(key);
  if (client === undefined || naming === undefined)
    return { title, message: renderer.text(`${key}.message`) };
  return { title, message: renderer.text(naming, { client: client.name }) };
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

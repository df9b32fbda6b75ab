import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { GatehouseError } from '../../lib/errors.ts';
import { randomToken } from '../../lib/ids.ts';
import { sendPage } from '../send-page.ts';
import type { AccountDeps } from './account-deps.ts';
import { readAccountForm } from './account-form.ts';
import { showAccount } from './account-page.ts';
import { changePassword } from './change-password.ts';
import { leaveNotice, type Notice, takeNotice } from './notice.ts';
import { changeSecondFactor, confirmSecondFactor } from './second-factor.ts';

/**
 * Any text is allowed here, because the page itself reports missing, too long or unknown values. The size of the whole
 * form is limited elsewhere.
 */
const field = z.string().default('');
const forms = {
  end: z.object({ csrf: field, id: field }),
  everywhere: z.object({ csrf: field }),
  withdraw: z.object({ csrf: field, client: field }),
  password: z.object({ csrf: field, currentPassword: field, newPassword: field }),
  secondFactor: z.object({ csrf: field, action: field, factorPassword: field }),
  authenticator: z.object({ csrf: field, enrolment: field, code: field }),
};

/**
 * Creates the routes of the account page: `/account` and its forms.
 *
 * This folder shows an account to its owner and reads the forms. The actions themselves are injected.
 */
export function accountRoutes(deps: AccountDeps): Router {
  const router = new Router({ prefix: '/account' });
  const home = `${deps.issuer}/account`;
  const goTo = (ctx: Context, url: string) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 303;
    ctx.redirect(url);
  };
  const redirectWithNotice = (ctx: Context, notice: Notice, url = home) => {
    leaveNotice(ctx, deps, notice);
    goTo(ctx, url);
  };
  const redirectSignedOut = (ctx: Context, notice: Notice) =>
    redirectWithNotice(ctx, notice, `${home}/signed-out`);

  router.get('/', async (ctx) => {
    const session = await deps.session(ctx);
    if (!session) return goTo(ctx, signInUrl(deps));
    await deps.countRequest(session.uid);
    await showAccount(deps, ctx, session);
  });
  // This route never redirects to the sign-in page. Otherwise a browser that returns without a session would loop.
  router.get('/signed-in', async (ctx) => {
    if (await deps.session(ctx)) return goTo(ctx, home);
    if (ctx.query.error === 'access_denied') return showSignedOut(deps, ctx, 'cancelled');
    throw new GatehouseError('sign_in_incomplete', 'You came back without being signed in.');
  });
  router.get('/signed-out', async (ctx) => {
    if (await deps.session(ctx)) return goTo(ctx, home);
    const notice = takeNotice(ctx, deps);
    const everywhere = notice === 'signed-out-everywhere' || notice === 'password-changed';
    showSignedOut(deps, ctx, everywhere ? notice : 'signed-out');
  });
  router.post('/end', async (ctx) => {
    const { session, fields } = await readAccountForm(deps, ctx, 'end', forms.end);
    if (fields.id === deps.sessionHandle(session.uid)) {
      await deps.endSession(session.uid);
      return redirectSignedOut(ctx, 'signed-out');
    }
    const ended = await deps.signIns.endOne(session.account.id, fields.id);
    redirectWithNotice(ctx, ended ? 'ended' : 'ended-already');
  });
  router.post('/sign-out-everywhere', async (ctx) => {
    const { session } = await readAccountForm(deps, ctx, 'sign-out-everywhere', forms.everywhere);
    await deps.signOutEverywhere(session.account.id);
    redirectSignedOut(ctx, 'signed-out-everywhere');
  });
  router.post('/withdraw', async (ctx) => {
    const { session, fields } = await readAccountForm(deps, ctx, 'withdraw', forms.withdraw);
    const withdrawn = await deps.withdrawConsent(session.account.id, fields.client);
    redirectWithNotice(ctx, withdrawn ? 'withdrawn' : 'withdrawn-already');
  });
  router.post('/password', async (ctx) => {
    const { session, fields } = await readAccountForm(deps, ctx, 'password', forms.password);
    const problem = await changePassword(deps, ctx, session, fields);
    if (problem) await showAccount(deps, ctx, session, problem);
    else redirectSignedOut(ctx, 'password-changed');
  });
  router.post('/second-factor', async (ctx) => {
    const { session, fields } = await readAccountForm(deps, ctx, 'second-factor', forms.secondFactor);
    await changeSecondFactor(deps, ctx, session, fields, () => redirectWithNotice(ctx, 'factor-removed'));
  });
  router.post('/authenticator', async (ctx) => {
    const { session, fields } = await readAccountForm(deps, ctx, 'authenticator', forms.authenticator);
    await confirmSecondFactor(deps, ctx, session, fields);
  });
  // The response to a form is shown under the form's address. A browser that restores a tab requests this address by
  // GET.
  const formPaths = [
    '/end',
    '/sign-out-everywhere',
    '/withdraw',
    '/password',
    '/second-factor',
    '/authenticator',
  ];
  router.get(formPaths, (ctx) => goTo(ctx, home));
  return router;
}

/**
 * Returns the URL that starts a sign-in. The account page uses the browser's session, so the returned code is never
 * redeemed. Its challenge is random and has no known verifier (RFC 7636 §4.2).
 */
function signInUrl({ issuer, client }: AccountDeps): string {
  const query = new URLSearchParams({
    client_id: client.id,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    scope: 'openid',
    code_challenge: randomToken(32),
    code_challenge_method: 'S256',
  });
  return `${issuer}/oauth2/authorize?${query}`;
}

/** @param reason why no person is signed in here */
function showSignedOut(deps: AccountDeps, ctx: Context, reason: Notice | 'cancelled'): void {
  const renderer = deps.renderer(ctx);
  const key = `account.${reason}`;
  const page = renderer.render('account-signed-out', {
    title: renderer.text(`${key}.title`),
    message: renderer.text(`${key}.message`),
    accountUrl: `${deps.basePath}/account`,
  });
  sendPage(ctx, page);
}

import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { GatehouseError } from '../../lib/errors.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import { sendPage } from '../send-page.ts';
import type { AccountDeps } from './account-deps.ts';
import { type AccountAction, readAccountForm } from './account-form.ts';
import { showAccount } from './account-page.ts';
import { addressLinkRoutes, confirmByCode, requestAddress } from './change-address.ts';
import { changePassword } from './change-password.ts';
import {
  freshSignInUrl,
  guardedActions,
  isFresh,
  isFreshEnough,
  partOf,
  signInUrl,
} from './fresh-sign-in.ts';
import { leaveNotice, type Notice, takeNotice } from './notice.ts';
import { changePasskeys } from './passkeys.ts';
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
  address: z.object({ csrf: field, newEmail: field, addressPassword: field }),
  addressCode: z.object({ csrf: field, addressCode: field }),
  passkeys: z.object({ csrf: field, action: field, id: field, name: field, sealed: field, answer: field }),
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

  /**
   * Handles a form. A form that needs a fresh sign-in leads to one if the session is older. Then nothing of the form is
   * kept, and the person comes back to the page.
   */
  const form = <Fields extends { csrf: string }>(
    action: AccountAction,
    schema: z.ZodType<Fields>,
    handle: (ctx: Context, session: BrowserSession, fields: Fields) => Promise<unknown>,
  ) =>
    router.post(`/${action}`, async (ctx) => {
      const { session, fields } = await readAccountForm(deps, ctx, action, schema);
      const part = guardedActions[action];
      if (part && !isFreshEnough(session, deps.now())) return goTo(ctx, freshSignInUrl(deps, session, part));
      await handle(ctx, session, fields);
    });

  router.get('/', async (ctx) => {
    const session = await deps.session(ctx);
    if (!session) return goTo(ctx, signInUrl(deps));
    await deps.countRequest(session.uid);
    await showAccount(deps, ctx, session);
  });
  // This route never redirects to the sign-in page. Otherwise a browser that returns without a session would loop.
  router.get('/signed-in', async (ctx) => {
    const session = await deps.session(ctx);
    const part = partOf(ctx.query.state);
    if (session && part && isFresh(session, deps.now()))
      return redirectWithNotice(ctx, 'signed-in-again', `${home}#${part}`);
    if (session) return goTo(ctx, home);
    if (ctx.query.error === 'access_denied') return showSignedOut(deps, ctx, 'cancelled');
    throw new GatehouseError('sign_in_incomplete', 'You came back without being signed in.');
  });
  router.get('/signed-out', async (ctx) => {
    if (await deps.session(ctx)) return goTo(ctx, home);
    const notice = takeNotice(ctx, deps);
    const everywhere = notice === 'signed-out-everywhere' || notice === 'password-changed';
    showSignedOut(deps, ctx, everywhere ? notice : 'signed-out');
  });
  form('end', forms.end, async (ctx, session, fields) => {
    if (fields.id === deps.sessionHandle(session.uid)) {
      await deps.endSession(session.uid);
      return redirectSignedOut(ctx, 'signed-out');
    }
    const ended = await deps.signIns.endOne(session.account.id, fields.id);
    redirectWithNotice(ctx, ended ? 'ended' : 'ended-already');
  });
  form('sign-out-everywhere', forms.everywhere, async (ctx, session) => {
    await deps.signOutEverywhere(session.account.id);
    redirectSignedOut(ctx, 'signed-out-everywhere');
  });
  form('withdraw', forms.withdraw, async (ctx, session, fields) => {
    const withdrawn = await deps.withdrawConsent(session.account.id, fields.client);
    redirectWithNotice(ctx, withdrawn ? 'withdrawn' : 'withdrawn-already');
  });
  form('password', forms.password, async (ctx, session, fields) => {
    const problem = await changePassword(deps, ctx, session, fields);
    if (problem) await showAccount(deps, ctx, session, problem);
    else redirectSignedOut(ctx, 'password-changed');
  });
  form('second-factor', forms.secondFactor, (ctx, session, fields) =>
    changeSecondFactor(deps, ctx, session, fields, () => redirectWithNotice(ctx, 'factor-removed')),
  );
  form('authenticator', forms.authenticator, (ctx, session, fields) =>
    confirmSecondFactor(deps, ctx, session, fields),
  );
  form('address', forms.address, async (ctx, session, fields) => {
    const problem = await requestAddress(deps, ctx, session, fields);
    if (problem) await showAccount(deps, ctx, session, problem);
    else redirectWithNotice(ctx, 'address-sent', `${home}#address`);
  });
  form('address-code', forms.addressCode, async (ctx, session, fields) => {
    const problem = await confirmByCode(deps, ctx, session, fields.addressCode);
    if (problem) await showAccount(deps, ctx, session, problem);
    else redirectWithNotice(ctx, 'address-changed');
  });
  router.use('/address', addressLinkRoutes(deps).routes());
  form('passkeys', forms.passkeys, (ctx, session, fields) =>
    changePasskeys(deps, ctx, session, fields, (notice) =>
      redirectWithNotice(ctx, notice, `${home}#passkeys`),
    ),
  );
  // The response to a form is shown under the form's address. A browser that restores a tab requests this address by
  // GET.
  const formPaths = Object.keys(guardedActions).map((action) => `/${action}`);
  router.get(formPaths, (ctx) => goTo(ctx, home));
  return router;
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

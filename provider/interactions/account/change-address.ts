import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { ChangeAddress } from '../../accounts/change-address.ts';
import { GatehouseError } from '../../lib/errors.ts';
import { readForm } from '../../lib/message-body.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import { emailKey } from '../../ports/account-store.ts';
import { isFromElsewhere } from '../csrf.ts';
import { sendPage } from '../send-page.ts';
import type { AccountDeps } from './account-deps.ts';
import type { AccountProblem } from './account-page.ts';
import type { AccountField } from './view-models.ts';

/** Handles the form for a new address. Returns the problem if the person can correct it. */
export async function requestAddress(
  deps: AccountDeps,
  ctx: Context,
  { account }: BrowserSession,
  { newEmail, addressPassword: current }: { newEmail: string; addressPassword: string },
): Promise<AccountProblem | undefined> {
  const renderer = deps.renderer(ctx);
  const { id: accountId, tokenVersion, email, passwordHash } = account;
  if (passwordHash !== undefined && current === '') {
    const message = renderer.text('account.password.missing');
    return { status: 400, error: { field: 'addressPassword', message }, typedEmail: newEmail };
  }
  try {
    const { language } = renderer;
    const browser = deps.browser(ctx);
    const request = { accountId, tokenVersion, email: newEmail, current, browser, language };
    await changesOf(deps).request(request);
    return undefined;
  } catch (error) {
    const isOwn = emailKey(newEmail) === emailKey(email);
    const wrong = isOwn ? 'account.address.same' : 'message.email-invalid';
    const key = newEmail === '' ? 'message.email-missing' : wrong;
    return { ...problemOf(deps, ctx, error, { field: 'newEmail', key }), typedEmail: newEmail };
  }
}

/** Handles the code of the mail to the new address. Returns the problem if the person can correct it. */
export async function confirmByCode(
  deps: AccountDeps,
  ctx: Context,
  { account: { id: accountId } }: BrowserSession,
  code: string,
): Promise<AccountProblem | undefined> {
  try {
    const { language } = deps.renderer(ctx);
    deps.knowBrowser(ctx, await changesOf(deps).confirm({ accountId, code }, language));
    return undefined;
  } catch (error) {
    return problemOf(deps, ctx, error, { field: 'addressCode', key: 'account.address.code.wrong' });
  }
}

const linkForm = z.object({ token: z.string().max(200).default('') });

/**
 * The pages behind the links of mails. They work without a session, so in any browser. A link only shows a button: programs
 * that check mails open every link, and this must not spend it. The forms need no CSRF token, because they carry the token
 * of the mail.
 */
export function addressLinkRoutes(deps: AccountDeps): Router {
  const router = new Router();
  const posted = async (ctx: Context): Promise<string> => {
    if (isFromElsewhere(deps.issuer, ctx))
      throw new GatehouseError('form_expired', 'Another site sent this form. Nothing was changed.');
    return (await readForm(ctx.req, linkForm, deps.bodyLimitBytes)).token;
  };
  const tokenOf = ({ query: { token } }: Context) => (typeof token === 'string' ? token : '');

  router.get('/confirm', (ctx) =>
    orUseless(deps, ctx, async () => {
      const token = tokenOf(ctx);
      const change = await changesOf(deps).find('change-address', token);
      showLink(deps, ctx, { step: 'confirm', token, values: { ...change } });
    }),
  );
  router.post('/confirm', (ctx) =>
    orUseless(deps, ctx, async () => {
      const { language } = deps.renderer(ctx);
      const { email } = await changesOf(deps).confirm({ token: await posted(ctx) }, language);
      showLink(deps, ctx, { step: 'confirmed', values: { email } });
    }),
  );
  router.get('/undo', (ctx) =>
    orUseless(deps, ctx, async () => {
      const token = tokenOf(ctx);
      const change = await changesOf(deps).find('undo-address', token);
      showLink(deps, ctx, { step: 'undo', token, values: { ...change } });
    }),
  );
  router.post('/undo', (ctx) =>
    orUseless(deps, ctx, async () => {
      const { language } = deps.renderer(ctx);
      const { recoveryToken: token } = await changesOf(deps).undo(await posted(ctx), language);
      ctx.set('Cache-Control', 'no-store');
      ctx.status = 303;
      ctx.redirect(`${deps.issuer}/recover/password?${new URLSearchParams({ ui_locales: language, token })}`);
    }),
  );
  return router;
}

function changesOf({ changeAddress }: AccountDeps): ChangeAddress {
  if (changeAddress) return changeAddress;
  throw new GatehouseError('not_found', 'This server sends no mails, so addresses cannot be changed here.');
}

interface LinkPage {
  step: 'confirm' | 'confirmed' | 'undo' | 'useless' | 'taken';
  /** The token that the button sends. Without it the page has no button. */
  token?: string;
  values?: Record<string, string>;
  status?: number;
}

function showLink(deps: AccountDeps, ctx: Context, { step, token, values = {}, status }: LinkPage): void {
  const renderer = deps.renderer(ctx);
  const key = `account.address.${step}`;
  const isUndo = step === 'undo';
  const page = renderer.render('account-address', {
    title: renderer.text(`${key}.title`),
    message: renderer.text(`${key}.message`, values),
    effect: isUndo ? renderer.text('account.address.undo.effect') : undefined,
    form:
      token === undefined
        ? undefined
        : {
            action: `${deps.basePath}/account/address/${step}`,
            hidden: { token },
            submit: renderer.text(isUndo ? 'account.address.undo.submit' : 'account.address.confirm.submit'),
          },
    accountUrl: `${deps.basePath}/account`,
  });
  sendPage(ctx, page, { status: status ?? 200, hidesAddress: true });
}

/** Shows a page for a link that is of no use any more. */
async function orUseless(deps: AccountDeps, ctx: Context, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = error instanceof GatehouseError ? error.code : undefined;
    if (code === 'invalid_one_time_token') showLink(deps, ctx, { step: 'useless', status: 400 });
    else if (code === 'address_taken') showLink(deps, ctx, { step: 'taken', status: 409 });
    else throw error;
  }
}

/** @param wrong the field and the message for a value that was refused */
function problemOf(
  deps: AccountDeps,
  ctx: Context,
  error: unknown,
  { field, key }: { field: AccountField; key: string },
): AccountProblem {
  if (!(error instanceof GatehouseError)) throw error;
  const { text } = deps.renderer(ctx);
  const { code, status, retryAfterSeconds, fields } = error;
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
  if (code === 'invalid_one_time_token' || fields?.some(({ pointer }) => pointer === '/email'))
    return { status: 400, error: { field, message: text(key) } };
  // Here `validation_failed` means that the typed current password is longer than any valid password.
  if (code === 'invalid_credentials' || code === 'validation_failed')
    return { status: 400, error: { field: 'addressPassword', message: text('account.password.wrong') } };
  const messages: Record<string, () => string> = {
    address_taken: () => text('account.address.taken.message'),
    overloaded: () => text('problem.unavailable.message'),
    too_many_requests: () => text('message.too-many-attempts', { seconds: retryAfterSeconds ?? 60 }),
  };
  const message = messages[code]?.();
  if (message === undefined) throw error;
  return { status, error: { field, message } };
}

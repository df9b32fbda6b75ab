import type { Context } from 'koa';
import { GatehouseError } from '../../lib/errors.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import type { Renderer } from '../render.ts';
import { passwordMessage } from '../sign-in.ts';
import type { AccountDeps } from './account-deps.ts';
import type { AccountProblem } from './account-page.ts';
import type { AccountPasswordField } from './view-models.ts';

export type TypedPasswords = Record<AccountPasswordField, string>;

/** Changes the account's password. Returns the problem if the person can correct it; any other error is thrown. */
export async function changePassword(
  deps: AccountDeps,
  ctx: Context,
  { account }: BrowserSession,
  typed: TypedPasswords,
): Promise<AccountProblem | undefined> {
  const renderer = deps.renderer(ctx);
  const missing = firstMissing(renderer, typed);
  if (missing) return missing;
  const { currentPassword: current, newPassword: next } = typed;
  try {
    const { id: accountId, tokenVersion } = account;
    const { language } = renderer;
    const browser = deps.browser(ctx);
    await deps.changePassword({ accountId, tokenVersion, current, next, browser, language });
    return undefined;
  } catch (error) {
    return problemOf(deps, ctx, error, { ...typed, account });
  }
}

function firstMissing({ text }: Renderer, typed: TypedPasswords): AccountProblem | undefined {
  if (typed.currentPassword === '')
    return { status: 400, error: { field: 'currentPassword', message: text('account.password.missing') } };
  if (typed.newPassword === '')
    return { status: 400, error: { field: 'newPassword', message: text('account.password.missing-new') } };
  return undefined;
}

type Typed = TypedPasswords & Pick<BrowserSession, 'account'>;

function problemOf(deps: AccountDeps, ctx: Context, error: unknown, typed: Typed): AccountProblem {
  if (!(error instanceof GatehouseError)) throw error;
  const { text } = deps.renderer(ctx);
  const { code, status, retryAfterSeconds, fields } = error;
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
  if (fields?.some(({ pointer }) => pointer === '/newPassword'))
    return { status, error: { field: 'newPassword', message: newPasswordMessage(deps, ctx, typed) } };
  // Here `validation_failed` means that the typed current password is longer than any valid password.
  if (code === 'invalid_credentials' || code === 'validation_failed')
    return { status: 400, error: { field: 'currentPassword', message: text('account.password.wrong') } };
  const messages: Record<string, () => string> = {
    overloaded: () => text('problem.unavailable.message'),
    too_many_requests: () => text('message.too-many-attempts', { seconds: retryAfterSeconds ?? 60 }),
  };
  const message = messages[code]?.();
  if (message === undefined) throw error;
  return { status, error: { message } };
}

/**
 * Returns the message for a refused new password. Other code decides that it is refused; this function only knows the
 * possible reasons.
 */
function newPasswordMessage(deps: AccountDeps, ctx: Context, typed: Typed): string {
  const renderer = deps.renderer(ctx);
  const { currentPassword: current, newPassword: next } = typed;
  if (next.normalize('NFC') === current.normalize('NFC')) return renderer.text('account.password.same');
  return passwordMessage(renderer, deps.passwordLengthFor(typed.account), next);
}

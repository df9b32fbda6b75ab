import type { Context } from 'koa';
import type { Owner } from '../../accounts/own-second-factor.ts';
import { GatehouseError } from '../../lib/errors.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import { inGroups, qrOf } from '../second-factor.ts';
import { sendPage } from '../send-page.ts';
import type { FormError, SecondFactorField } from '../view-values.ts';
import type { AccountDeps } from './account-deps.ts';
import { accountFormToken } from './account-form.ts';
import { type AccountProblem, showAccount } from './account-page.ts';

const ownerOf = (deps: AccountDeps, ctx: Context, { uid, account }: BrowserSession): Owner => ({
  accountId: account.id,
  tokenVersion: account.tokenVersion,
  boundTo: uid,
  language: deps.renderer(ctx).language,
});

/**
 * Handles the form of the account page: adds or removes the authenticator app, or makes new recovery codes. All need the
 * current password.
 * @param whenRemoved answers after the app was removed
 */
export async function changeSecondFactor(
  deps: AccountDeps,
  ctx: Context,
  session: BrowserSession,
  { action, factorPassword }: { action: string; factorPassword: string },
  whenRemoved: () => void,
): Promise<void> {
  const owner = { ...ownerOf(deps, ctx, session), current: factorPassword, browser: deps.browser(ctx) };
  try {
    if (factorPassword === '') throw new GatehouseError('validation_failed', 'Give the current password.');
    if (action === 'remove') {
      await deps.secondFactor.remove(owner);
      return whenRemoved();
    }
    if (action === 'codes')
      return showRecoveryCodes(deps, ctx, await deps.secondFactor.replaceRecoveryCodes(owner));
    if (!deps.offersSecondFactor) throw new GatehouseError('not_found', 'Second factors are switched off.');
    await showOffer(deps, ctx, session, await deps.secondFactor.offer(owner));
  } catch (error) {
    await showAccount(deps, ctx, session, problemOf(deps, ctx, error, factorPassword));
  }
}

/** Handles the first code of a new app. */
export async function confirmSecondFactor(
  deps: AccountDeps,
  ctx: Context,
  session: BrowserSession,
  { enrolment: sealed, code }: { enrolment: string; code: string },
): Promise<void> {
  const owner = ownerOf(deps, ctx, session);
  try {
    showRecoveryCodes(deps, ctx, await deps.secondFactor.add(owner, { sealed, code }));
  } catch (error) {
    if ((error as GatehouseError).code !== 'invalid_second_factor')
      return showAccount(deps, ctx, session, problemOf(deps, ctx, error, 'none'));
    const message = deps.renderer(ctx).text('second-factor.wrong');
    const again = await deps.secondFactor.reopen(owner, sealed);
    await showOffer(deps, ctx, session, again, { field: 'code', message });
  }
}

async function showOffer(
  deps: AccountDeps,
  ctx: Context,
  session: BrowserSession,
  offer: { secret: string; uri: string; sealed: string },
  error?: FormError<SecondFactorField>,
): Promise<void> {
  const page = deps.renderer(ctx).render('account-second-factor', {
    csrf: accountFormToken(deps.keys, session, 'authenticator'),
    action: `${deps.basePath}/account/authenticator`,
    cancelUrl: `${deps.basePath}/account`,
    hidden: { enrolment: offer.sealed },
    qr: await qrOf(offer.uri),
    secret: inGroups(offer.secret),
    error,
  });
  sendPage(ctx, page, { status: error ? 400 : 200 });
}

export function showRecoveryCodes(deps: AccountDeps, ctx: Context, codes: readonly string[]): void {
  const continueUrl = `${deps.basePath}/account`;
  sendPage(ctx, deps.renderer(ctx).render('recovery-codes', { codes, continueUrl }));
}

function problemOf(deps: AccountDeps, ctx: Context, error: unknown, typed: string): AccountProblem {
  if (!(error instanceof GatehouseError)) throw error;
  const { text } = deps.renderer(ctx);
  const { code, status, retryAfterSeconds } = error;
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
  // Here `validation_failed` means that the typed password is empty, or longer than any valid password.
  if (code === 'invalid_credentials' || code === 'validation_failed') {
    const key = typed === '' ? 'account.password.missing' : 'account.password.wrong';
    return { status: 400, error: { field: 'factorPassword', message: text(key) } };
  }
  const messages: Record<string, () => string> = {
    overloaded: () => text('problem.unavailable.message'),
    too_many_requests: () => text('message.too-many-attempts', { seconds: retryAfterSeconds ?? 60 }),
    second_factor_exists: () => text('account.second-factor.changed'),
    second_factor_missing: () => text('account.second-factor.changed'),
    second_factor_expired: () => text('account.second-factor.expired'),
  };
  const message = messages[code]?.();
  if (message === undefined) throw error;
  return { status, error: { field: 'factorPassword', message } };
}

import type { Context } from 'koa';
import type { z } from 'zod';
import { GatehouseError } from '../../lib/errors.ts';
import { readForm } from '../../lib/message-body.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import { isFromElsewhere } from '../csrf.ts';
import type { AccountDeps } from './account-deps.ts';

export type AccountAction =
  | 'end'
  | 'sign-out-everywhere'
  | 'withdraw'
  | 'password'
  | 'second-factor'
  | 'authenticator'
  | 'passkeys'
  | 'address'
  | 'address-code';

const label = (action: AccountAction) => `account form ${action}`;
const value = ({ uid, account }: BrowserSession) => `${uid} ${account.id}`;

/** Returns the CSRF token of a form for one action. The token is valid in this session only. */
export function accountFormToken(
  keys: AccountDeps['keys'],
  session: BrowserSession,
  action: AccountAction,
): string {
  return keys.tag(label(action), value(session));
}

/**
 * Reads a submitted form of the account page.
 *
 * @throws `session_ended` when the session has no account any more; `form_expired` for a form of another session or
 *   from another site; `too_many_requests`; `validation_failed`, `unsupported_media_type` and similar errors for a
 *   request that our forms never send
 */
export async function readAccountForm<Fields extends { csrf: string }>(
  deps: AccountDeps,
  ctx: Context,
  action: AccountAction,
  schema: z.ZodType<Fields>,
): Promise<{ session: BrowserSession; fields: Fields }> {
  if (isFromElsewhere(deps.issuer, ctx)) throw expired();
  const fields = await readForm(ctx.req, schema, deps.bodyLimitBytes);
  const session = await deps.session(ctx);
  if (!session) throw new GatehouseError('session_ended', 'Your session has ended. Nothing was changed.');
  await deps.countRequest(session.uid);
  if (!deps.keys.checkTag(label(action), value(session), fields.csrf)) throw expired();
  return { session, fields };
}

const expired = () =>
  new GatehouseError('form_expired', 'This form is not of this session. Nothing was changed.');

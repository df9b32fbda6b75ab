import type { Context } from 'koa';
import type { z } from 'zod';
import { GatehouseError } from '../../lib/errors.ts';
import { readForm } from '../../lib/request-body.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import { isFromElsewhere } from '../csrf.ts';
import type { AccountDeps } from './account-deps.ts';

export type AccountAction = 'end' | 'sign-out-everywhere' | 'withdraw' | 'password';

const label = (action: AccountAction) => `account form ${action}`;
const value = ({ uid, account }: BrowserSession) => `${uid} ${account.id}`;

/** What a form for one action carries, good in this session only. */
export function accountFormToken(
  keys: AccountDeps['keys'],
  session: BrowserSession,
  action: AccountAction,
): string {
  return keys.tag(label(action), value(session));
}

/**
 * Reads what a form of ours sent.
 *
 * @throws `session_ended` when nobody is signed in any more; `form_expired` for a form that isn't of this session, or that
 *   another site sent; `validation_failed`, `unsupported_media_type` and the like for what no form of ours sends
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
  if (!deps.keys.checkTag(label(action), value(session), fields.csrf)) throw expired();
  return { session, fields };
}

const expired = () =>
  new GatehouseError('form_expired', 'This form is not of this session. Nothing was changed.');

import type { Context } from 'koa';
import { GatehouseError } from '../../lib/errors.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import { readAnswer } from '../passkey-form.ts';
import type { AccountDeps } from './account-deps.ts';
import { type AccountProblem, showAccount } from './account-page.ts';
import { ownerOf } from './describe-passkeys.ts';
import { nameOfUserAgent } from './describe-sign-ins.ts';
import type { Notice } from './notice.ts';
import { showRecoveryCodes } from './second-factor.ts';

export interface PasskeyFields {
  action: string;
  /** The credential id. */
  id: string;
  name: string;
  sealed: string;
  answer: string;
}

/**
 * Handles the forms of the section with the passkeys: adds, renames or removes one.
 * @param done answers after a change that needs no page of its own
 */
export async function changePasskeys(
  deps: AccountDeps,
  ctx: Context,
  session: BrowserSession,
  fields: PasskeyFields,
  done: (notice: Notice) => void,
): Promise<void> {
  const { passkeys } = deps;
  if (passkeys === undefined) throw new GatehouseError('not_found', 'Passkeys are switched off.');
  const owner = ownerOf(session);
  const renderer = deps.renderer(ctx);
  const { action, id, sealed, answer } = fields;
  try {
    if (action === 'rename') {
      await passkeys.rename(owner, id, fields.name);
      return done('passkey-renamed');
    }
    if (action === 'remove') {
      await passkeys.remove(owner, id, renderer.language);
      return done('passkey-removed');
    }
    const name = nameOfUserAgent(renderer, ctx.get('User-Agent')) ?? '';
    const offered = { sealed, answer: readAnswer(deps.newPasskeyAnswer, answer) };
    const codes = await passkeys.add(owner, offered, { name, language: renderer.language });
    if (codes === undefined) return done('passkey-added');
    showRecoveryCodes(deps, ctx, codes);
  } catch (error) {
    await showAccount(deps, ctx, session, problemOf(deps, ctx, error));
  }
}

const messages: Record<string, string> = {
  invalid_passkey: 'passkey.failed',
  passkey_expired: 'passkey.expired',
  passkey_exists: 'passkey.exists',
  too_many_passkeys: 'passkey.too-many',
  not_found: 'account.passkeys.changed',
};

function problemOf(deps: AccountDeps, ctx: Context, error: unknown): AccountProblem {
  const key = error instanceof GatehouseError ? messages[error.code] : undefined;
  if (key === undefined) throw error;
  return { status: 400, passkeys: deps.renderer(ctx).text(key) };
}

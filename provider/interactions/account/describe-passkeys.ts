import type { Owner } from '../../accounts/own-second-factor.ts';
import type { GatehouseError } from '../../lib/errors.ts';
import type { BrowserSession } from '../../oidc/sessions/browser-session.ts';
import type { AccountDeps } from './account-deps.ts';
import { accountFormToken } from './account-form.ts';
import { timeView } from './describe-sign-ins.ts';
import { freshSignInUrl, isFresh } from './fresh-sign-in.ts';
import type { AccountPasskeysView } from './view-models.ts';

export const ownerOf = ({ uid, account }: BrowserSession): Owner => ({
  accountId: account.id,
  tokenVersion: account.tokenVersion,
  boundTo: uid,
});

/** The section with the passkeys. Undefined when passkeys are off. */
export async function describePasskeys(
  deps: AccountDeps,
  session: BrowserSession,
  error?: string,
): Promise<AccountPasskeysView | undefined> {
  const { passkeys } = deps;
  if (passkeys === undefined) return undefined;
  const { account } = session;
  const list = (await passkeys.list(account.id)).map(({ id, name, createdAt, lastUsedAt, isShareable }) => ({
    id,
    name,
    isShareable,
    since: timeView(createdAt),
    lastUsed: lastUsedAt === undefined ? undefined : timeView(lastUsedAt),
  }));
  if (!isFresh(session, deps.now()))
    return { list, error, signInAgain: freshSignInUrl(deps, session, 'passkeys') };
  const form = {
    action: `${deps.basePath}/account/passkeys`,
    csrf: accountFormToken(deps.keys, session, 'passkeys'),
  };
  return { list, error, form, add: await addForm(deps, session, form) };
}

/** Undefined if the account has as many passkeys as it may have. */
async function addForm(
  { passkeys }: AccountDeps,
  session: BrowserSession,
  form: { action: string; csrf: string },
): Promise<AccountPasskeysView['add']> {
  const owner = { ...ownerOf(session), email: session.account.email };
  const offer = await passkeys?.offer(owner).catch((error: GatehouseError) => {
    if (error.code !== 'too_many_passkeys') throw error;
    return undefined;
  });
  const hidden = { action: 'add', sealed: offer?.sealed ?? '' };
  return offer && { ...form, hidden, options: JSON.stringify(offer.options) };
}

import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { WriteMail } from './mails.ts';

export type FactorStores = Pick<
  TransactionStores,
  'accounts' | 'secondFactors' | 'passkeys' | 'outbox' | 'mails'
>;

export interface RemovalDeps {
  newEvent: NewEvent;
  clock: Clock;
  /** Undefined when mail is off. */
  writeMail?: WriteMail | undefined;
}

/** How a change was caused. */
export interface Cause {
  /** The language of the page, for the mail. */
  language?: string | undefined;
}

/** Removes the app, and the recovery codes if the account has no passkey. Gives false when there was no app. */
export async function removeApp(
  stores: FactorStores,
  account: Account,
  deps: RemovalDeps,
  cause?: Cause,
): Promise<boolean> {
  if (!(await removeAppSilently(stores, account, deps))) return false;
  await writeRemoved(stores, account, deps, cause);
  return true;
}

async function removeAppSilently(
  stores: FactorStores,
  account: Account,
  deps: RemovalDeps,
): Promise<boolean> {
  if (!(await stores.secondFactors.removeApp(account.id))) return false;
  await endWithoutFactor(stores, account, deps);
  await stores.outbox.append(deps.newEvent('user.second_factor_removed', account.id, appEvent(account)));
  return true;
}

async function writeRemoved(
  stores: FactorStores,
  account: Account,
  { clock, writeMail }: RemovalDeps,
  { language, byOperator }: Cause & { byOperator?: true | undefined } = {},
): Promise<void> {
  const model = { email: account.email, at: clock.now(), byOperator };
  await writeMail?.(stores, { kind: 'second-factor-removed', account, language, model });
}

/**
 * Removes the recovery codes if the account has neither an app nor a passkey. The caller has written to the row of the
 * factors before, so no parallel change can add or remove one.
 */
export async function endWithoutFactor(
  { accounts, secondFactors, passkeys }: FactorStores,
  { id }: Account,
  { clock }: Pick<RemovalDeps, 'clock'>,
): Promise<void> {
  if ((await secondFactors.find(id))?.hasApp || (await passkeys.list(id)).length > 0) return;
  await secondFactors.remove(id);
  await accounts.update(id, { hasSecondFactor: false }, clock.now());
}

/**
 * Removes the app, all passkeys and the recovery codes, with one mail to the person. It needs no key, so a command can do it. Gives false when there
 * was no factor.
 */
export async function removeAllFactors(
  stores: FactorStores,
  account: Account,
  deps: RemovalDeps,
  cause: Cause & { byOperator?: true } = {},
): Promise<boolean> {
  const { id, email } = account;
  const factor = await stores.secondFactors.touch(id);
  for (const passkey of await stores.passkeys.removeAll(id)) {
    const data = { id, email, passkeyId: passkey.id, name: passkey.name };
    await stores.outbox.append(deps.newEvent('user.passkey_removed', id, data));
  }
  if (factor === undefined) return false;
  if (!(await removeAppSilently(stores, account, deps))) await endWithoutFactor(stores, account, deps);
  await writeRemoved(stores, account, deps, cause);
  return true;
}

/** The data of an event about the authenticator app. */
export const appEvent = ({ id, email }: Account) => ({ id, email, method: 'totp' });

import { removeAllFactors } from '../../accounts/remove-factors.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Account } from '../../ports/account-store.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { readPassword } from '../cli/read-password.ts';
import { accountDocument } from './account-document.ts';
import { checkRoles } from './check-roles.ts';
import { findAccount } from './find-account.ts';
import { type StoreNeeds, type Stores, withStores } from './open-stores.ts';

/** `gatehouse accounts disable`. Does nothing to an account that is already disabled. Throws `not_found`. */
export function disableAccount(account: string, output: Output): Promise<void> {
  return change(account, output, async ({ accounts }, found) => {
    if (found.state === 'disabled') return [found, 'was disabled already'];
    return [await accounts.disable(found.id), 'is disabled; every token it was issued is dead'];
  });
}

/**
 * `gatehouse accounts enable`. Does nothing to an account that is already enabled. Throws `not_found`, and a
 * CommandFailure when another account keeps the address (migration 0015).
 */
export function enableAccount(account: string, output: Output): Promise<void> {
  return change(account, output, async ({ accounts, ports }, found) => {
    if (found.state === 'active') return [found, 'was enabled already'];
    const keeper = await ports.accounts.findByEmail(found.email);
    if (keeper !== undefined && keeper.id !== found.id) {
      const message = `${found.id} can't sign in: its address ${found.email} is now the address of ${keeper.id}. Use that account.`;
      throw new CommandFailure('problems', message, { code: 'address_taken' });
    }
    return [await accounts.enable(found.id), 'can sign in again'];
  });
}

/** `gatehouse accounts set-password`. Throws `not_found`, or `validation_failed` with fields. */
export function setPassword(account: string, output: Output): Promise<void> {
  return change(
    account,
    output,
    async ({ accounts }, found) => {
      const changed = await accounts.setPassword(found.id, await readPassword());
      return [changed, 'has a new password; every token it was issued is dead'];
    },
    { mails: true },
  );
}

/**
 * `gatehouse accounts reset-factors`, for a person who lost the phone and the recovery codes. Sessions and tokens stay.
 * Throws `not_found`.
 */
export function resetFactors(account: string, output: Output): Promise<void> {
  const reset = async ({ ports, newEvent, writeMail }: Stores, found: Account): Promise<Changed> => {
    const deps = { newEvent, writeMail, clock: systemClock };
    const isRemoved = await ports.unitOfWork.run((stores) =>
      removeAllFactors(stores, found, deps, { byOperator: true }),
    );
    if (!isRemoved) return [found, 'has no second factor'];
    const { hasSecondFactor: _, ...changed } = found;
    return [
      changed,
      'has no second factor any more; the next sign-in needs the password only, or adds a new one',
    ];
  };
  return change(account, output, reset, { mails: true });
}

export interface SetRolesOptions {
  roles: string[];
  none: boolean;
}

/** `gatehouse accounts set-roles`. Throws `not_found`. */
export function setRoles(account: string, { roles, none }: SetRolesOptions, output: Output): Promise<void> {
  if (none === roles.length > 0) {
    const message = none ? 'Give roles or --none, not both.' : 'Name all roles it is to have, or --none.';
    throw new CommandFailure('usage', message, { code: 'usage' });
  }
  return change(account, output, async ({ accounts, accessModel }, found) => {
    checkRoles(roles, accessModel);
    const changed = await accounts.setRoles(found.id, roles);
    return [
      changed,
      `now has ${changed.roles.length > 0 ? `the roles ${changed.roles.join(', ')}` : 'no roles'}`,
    ];
  });
}

type Changed = [account: Account, done: string];

async function change(
  account: string,
  output: Output,
  work: (stores: Stores, found: Account) => Promise<Changed>,
  needs: StoreNeeds = {},
): Promise<void> {
  const [changed, done] = await withStores(needs, async (stores) =>
    work(stores, await findAccount(stores.ports.accounts, account)),
  );
  output.result(accountDocument(changed), `${changed.email} ${done}.`);
}

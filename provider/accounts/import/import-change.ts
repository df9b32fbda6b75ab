import type { EventType } from '../../events/catalogue.ts';
import type { NewEvent } from '../../events/new-event.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Account, AccountChange } from '../../ports/account-store.ts';
import type { UnitOfWork } from '../../ports/unit-of-work.ts';
import type { ImportedFields } from './import-line.ts';

const compared = ['emailVerified', 'passwordHash', 'roles', 'metadata', 'state'] as const;

/** What it takes to make the account what the line says, as far as the line says anything; empty when nothing. */
export function changeFor(fields: ImportedFields, account: Account): AccountChange {
  // As JSON: it is what both were read from, and NaN, -0 and the like don't survive it.
  const differs = (name: (typeof compared)[number]) =>
    fields[name] !== undefined && JSON.stringify(fields[name]) !== JSON.stringify(account[name]);
  return Object.fromEntries(compared.filter(differs).map((name) => [name, fields[name]]));
}

export interface UpdateDeps {
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  clock: Clock;
}

/** Changes the account and writes what is told of such changes, in one transaction, as an administrator's change does. */
export async function updateAccount(
  { unitOfWork, newEvent, clock }: UpdateDeps,
  id: string,
  change: AccountChange,
): Promise<void> {
  const raiseTokenVersion = change.passwordHash !== undefined || change.state === 'disabled';
  await unitOfWork.run(async ({ accounts, outbox }) => {
    const account = await accounts.update(id, { ...change, raiseTokenVersion }, clock.now());
    if (account === undefined) return;
    for (const [type, data] of eventsOf(change, account)) await outbox.append(newEvent(type, id, data));
  });
}

type Told = [type: EventType, data: Record<string, unknown>];

function eventsOf({ passwordHash, roles, state }: AccountChange, { id, email, ...account }: Account): Told[] {
  const told: Told[] = [];
  if (passwordHash !== undefined) told.push(['user.password_changed', { id, email }]);
  if (roles !== undefined) told.push(['user.roles_changed', { id, roles: account.roles }]);
  if (state !== undefined)
    told.push([state === 'disabled' ? 'user.disabled' : 'user.enabled', { id, email }]);
  return told;
}

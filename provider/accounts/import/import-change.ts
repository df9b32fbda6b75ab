import type { EventType, NewEvent } from '../../events/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Account, AccountChange } from '../../ports/account-store.ts';
import type { UnitOfWork } from '../../ports/unit-of-work.ts';
import type { ImportedFields } from './import-line.ts';

const compared = ['emailVerified', 'passwordHash', 'roles', 'metadata', 'state'] as const;

/**
 * Gives the change that sets the account to the values of the line; empty when nothing differs. Fields that the line
 * does not contain stay unchanged.
 */
export function changeFor(fields: ImportedFields, account: Account): AccountChange {
  // Values are compared as JSON. This is exact, because both were read from JSON, which has no NaN and no -0.
  const differs = (name: (typeof compared)[number]) =>
    fields[name] !== undefined && JSON.stringify(fields[name]) !== JSON.stringify(account[name]);
  return Object.fromEntries(compared.filter(differs).map((name) => [name, fields[name]]));
}

interface UpdateDeps {
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  clock: Clock;
}

/** Changes the account and writes the same events as an administrator's change, in one transaction. */
export async function updateAccount(
  { unitOfWork, newEvent, clock }: UpdateDeps,
  id: string,
  change: AccountChange,
): Promise<void> {
  const raiseTokenVersion = change.passwordHash !== undefined || change.state === 'disabled';
  await unitOfWork.run(async ({ accounts, outbox, clientSessions }) => {
    const account = await accounts.update(id, { ...change, raiseTokenVersion }, clock.now());
    if (account === undefined) return;
    if (raiseTokenVersion) await clientSessions.end({ accountId: id }, clock.now());
    for (const [type, data] of eventsOf(change, account)) await outbox.append(newEvent(type, id, data));
  });
}

type ChangeEvent = [type: EventType, data: Record<string, unknown>];

function eventsOf(
  { passwordHash, roles, state }: AccountChange,
  { id, email, ...account }: Account,
): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  if (passwordHash !== undefined) events.push(['user.password_changed', { id, email }]);
  if (roles !== undefined) events.push(['user.roles_changed', { id, roles: account.roles }]);
  if (state !== undefined)
    events.push([state === 'disabled' ? 'user.disabled' : 'user.enabled', { id, email }]);
  return events;
}

import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { NewEvent } from './account-events.ts';
import { addAccount, checkCredentials, newAccount } from './new-account.ts';
import type { Passwords } from './passwords.ts';

export interface RegisterInput {
  email: string;
  password: string;
  ip: string;
  userAgent: string | undefined;
}

export interface RegisterDeps {
  /** Whether people may create accounts themselves. */
  enabled: boolean;
  /** The roles of every account that is created this way. */
  roles: string[];
  unitOfWork: UnitOfWork;
  passwords: Pick<Passwords, 'hash'>;
  newEvent: NewEvent;
  clock: Clock;
  logger: Pick<Logger, 'info'>;
}

export type Register = (input: RegisterInput) => Promise<void>;

/**
 * Sign-up. It resolves in the same way whether the address is new or has an account already, after one hash in both cases, so
 * the result doesn't show who has an account. Throws `signup_disabled`, `validation_failed` with fields, or `overloaded`.
 */
export function createRegister(deps: RegisterDeps): Register {
  const { enabled, roles, unitOfWork, passwords, newEvent, clock, logger } = deps;
  return async ({ email, password, ip, userAgent }) => {
    if (!enabled) {
      throw new GatehouseError(
        'signup_disabled',
        "Accounts can't be made here. Ask an administrator for one.",
      );
    }
    const address = checkCredentials({ email, password });
    const passwordHash = await passwords.hash(password);
    const fields = { email: address, emailVerified: false, passwordHash, roles: [...roles], metadata: {} };
    const account = newAccount(fields, clock);
    const added = await addAccount(account, unitOfWork, newEvent);
    const from = { ip, userAgent };
    if (added) logger.info({ accountId: account.id, ...from }, 'account registered');
    else logger.info(from, 'registration for an address that has an account already');
  };
}

import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { requestOrigin } from '../lib/request-scope.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { ConfirmAddress, SignUpPlace } from './confirm-address.ts';
import { addAccount, checkCredentials, newAccount } from './new-account.ts';
import type { PasswordRules } from './password-rules.ts';
import type { Passwords } from './passwords.ts';

export interface RegisterInput extends SignUpPlace {
  email: string;
  password: string;
}

/** `confirmation` is for the page or the app where the person signs up. Undefined if no proof of the address is needed. */
export interface Registered {
  confirmation: string | undefined;
}

export interface RegisterOptions {
  /** Whether people may create accounts themselves. */
  enabled: boolean;
  /** The roles of every account that is created by sign-up. */
  roles: string[];
  unitOfWork: UnitOfWork;
  passwords: Pick<Passwords, 'hash'>;
  passwordRules: Pick<PasswordRules, 'problems'>;
  /** Undefined if people need not prove their addresses. */
  confirmAddress?: Pick<ConfirmAddress, 'signUp'> | undefined;
  newEvent: NewEvent;
  clock: Clock;
  logger: Pick<Logger, 'info'>;
}

export type Register = (input: RegisterInput) => Promise<Registered>;

/**
 * Creates the function for sign-up. A new address and a known address get the same result after one hash, so the caller
 * does not learn whether an account exists. If addresses must be proved, both get a mail.
 *
 * @throws GatehouseError `signup_disabled`, `validation_failed` with fields, or `overloaded`
 */
export function createRegister(options: RegisterOptions): Register {
  const { enabled, roles, unitOfWork, passwords, passwordRules, newEvent, clock, logger } = options;
  return async ({ email, password, ...place }) => {
    if (!enabled) {
      throw new GatehouseError(
        'signup_disabled',
        "Accounts can't be made here. Ask an administrator for one.",
      );
    }
    const address = await checkCredentials({ email, password, owner: { roles } }, passwordRules);
    const passwordHash = await passwords.hash(password);
    const fields = { email: address, emailVerified: false, passwordHash, roles: [...roles], metadata: {} };
    const account = newAccount(fields, clock);
    const { isNew: added, confirmation } = options.confirmAddress
      ? await options.confirmAddress.signUp(account, place)
      : { isNew: await addAccount(account, unitOfWork, newEvent), confirmation: undefined };
    const from = requestOrigin();
    if (added) logger.info({ accountId: account.id, ...from }, 'account registered');
    else logger.info({ ...from }, 'registration for a known address');
    return { confirmation };
  };
}

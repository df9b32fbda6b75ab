import { createAccounts } from '../accounts/accounts.ts';
import { createHashingPool } from '../accounts/hashing-pool.ts';
import { createPasswords } from '../accounts/passwords.ts';
import { loadAccessModel } from '../config/apis.ts';
import { loadConfig } from '../config/load.ts';
import { createEvent } from '../events/catalogue.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { ConfigurationError } from '../lib/errors.ts';
import { createLogger } from '../lib/logger.ts';
import { openPorts } from './adapters.ts';

export interface CreateAccountOptions {
  email: string;
  roles: string[];
  verified: boolean;
  /** From standard input: an argument would stand in the process list and the shell's history. */
  password: string;
}

/** `gatehouse accounts create`. @returns the new account's id */
export async function createAccount(options: CreateAccountOptions): Promise<string> {
  const config = loadConfig({ required: ['GATEHOUSE_DATABASE_URL'] });
  const { roles: permissionsByRole } = loadAccessModel(config);
  const unknown = options.roles.filter((role) => !permissionsByRole[role]);
  if (unknown.length > 0)
    throw new ConfigurationError([`No such role: ${unknown.join(', ')}. GATEHOUSE_APIS_FILE defines roles.`]);
  const ports = await openPorts(config, { clock, logger: createLogger({ level: config.logLevel }) });
  try {
    const params = {
      memoryKib: config.argon2MemoryKib,
      passes: config.argon2Passes,
      parallelism: config.argon2Parallelism,
    };
    const pool = createHashingPool({ concurrency: 1, queueLimit: 0, clock });
    const accounts = createAccounts({
      accounts: ports.accounts,
      unitOfWork: ports.unitOfWork,
      passwords: createPasswords({ params, pool }),
      newEvent: (type, subject, data) => createEvent(type, subject, data, { clock }),
      clock,
      permissionsByRole,
    });
    const { email, roles, verified, password } = options;
    const account = await accounts.create({ email, password, roles, emailVerified: verified, metadata: {} });
    if (!account) throw new ConfigurationError([`There is an account with the address ${email} already.`]);
    return account.id;
  } finally {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
  }
}

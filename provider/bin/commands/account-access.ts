import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Accounts, createAccounts } from '../../accounts/accounts.ts';
import { createHashingPool } from '../../accounts/hashing-pool.ts';
import { createPasswords } from '../../accounts/passwords.ts';
import { openPorts, type Ports } from '../../compose/adapters.ts';
import type { AccessModel } from '../../config/access-model.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config, SettingName } from '../../config/schema.ts';
import { createNewEvent, type NewEvent } from '../../events/new-event.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { ConfigurationError, GatehouseError } from '../../lib/errors.ts';
import type { Account, AccountStore } from '../../ports/account-store.ts';
import { type CachedDenylist, createCachedDenylist } from '../../revocation/cached-denylist.ts';
import { noticeChanges } from '../../revocation/change-notices.ts';
import { accessModelOf } from './access-settings.ts';
import { silentLogger } from './silent-logger.ts';

/** What commands about accounts need. */
export interface AccountAccess {
  config: Config;
  accessModel: AccessModel;
  /** For reading. */
  store: Ports['accounts'];
  /** For changing: each change is written with its event. */
  accounts: Accounts;
  newEvent: NewEvent;
  denylist: CachedDenylist;
  ports: Ports;
}

export interface AccessOptions {
  /** Settings the command can't do without. */
  required?: readonly SettingName[];
  /** Whether it needs Redis, where one is configured. */
  redis?: boolean;
  /** Whether so many accounts may change that servers had better read all of them anew than be told of each. */
  everything?: boolean;
}

/**
 * Opens the configured database, or the embedded one, for as long as `work` takes. Throws ConfigurationError when
 * there is none, when its schema is old, or when another process has the embedded one.
 */
export async function withAccounts<T>(
  work: (access: AccountAccess) => Promise<T>,
  { required = [], redis = false, everything = false }: AccessOptions = {},
): Promise<T> {
  const config = loadConfig({ required });
  const accessModel = accessModelOf(config);
  const opened = await openStores(redis ? config : { ...config, redisUrl: undefined });
  const denylist = createCachedDenylist({
    store: opened.denylist,
    cache: opened.revocationCache,
    clock,
    logger: silentLogger(),
  });
  const unitOfWork = noticeChanges(opened.unitOfWork, { clock, denylist, everything });
  const ports = { ...opened, unitOfWork };
  try {
    await bringSchemaUp(config, ports);
    const accounts = accountsOf(config, accessModel, ports);
    return await work({ config, accessModel, store: ports.accounts, accounts, newEvent, denylist, ports });
  } finally {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
  }
}

/** Throws `not_found`. @param account an address or an id */
export async function findAccount(
  store: Pick<AccountStore, 'findByEmail' | 'findById'>,
  account: string,
): Promise<Account> {
  const byAddress = account.includes('@');
  const found =
    (byAddress ? await store.findByEmail(account) : await store.findById(account)) ??
    (byAddress ? await store.findById(account) : undefined);
  if (found) return found;
  throw new GatehouseError('not_found', `There is no account ${account}.`);
}

const newEvent = createNewEvent({ clock, actor: 'operator' });

/** Accounts need neither Redis nor keys: a command works while those are away. */
function openStores(config: Config): Promise<Ports> {
  if (config.databaseUrl === undefined && !existsSync(config.dataFolder)) {
    throw new ConfigurationError([
      `There is no database: GATEHOUSE_DATABASE_URL is not set, and there is no embedded one in ${config.dataFolder}. ` +
        'Set it, or run gatehouse dev once.',
    ]);
  }
  const keys = config.keys ?? `file:${join(config.dataFolder, 'keys.json')}`;
  const reduced = { ...config, keys, clientsFile: undefined };
  return openPorts(reduced, { clock, logger: silentLogger() });
}

/** The embedded database belongs to this machine's release; a real one may still serve another. */
async function bringSchemaUp(config: Config, { schema }: Ports): Promise<void> {
  if (config.databaseUrl === undefined) {
    await schema.migrate();
    return;
  }
  const pending = await schema.pending();
  if (pending.length === 0) return;
  throw new ConfigurationError([
    `The database lacks what this release needs (${pending.join(', ')}). Run: gatehouse migrate`,
  ]);
}

function accountsOf(config: Config, { roles }: AccessModel, ports: Ports): Accounts {
  const params = {
    memoryKib: config.argon2MemoryKib,
    passes: config.argon2Passes,
    parallelism: config.argon2Parallelism,
  };
  const pool = createHashingPool({ concurrency: 1, queueLimit: 0, clock });
  return createAccounts({
    accounts: ports.accounts,
    unitOfWork: ports.unitOfWork,
    passwords: createPasswords({ params, pool }),
    newEvent,
    clock,
    permissionsByRole: roles,
  });
}

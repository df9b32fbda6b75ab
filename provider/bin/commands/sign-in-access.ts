import { processEnvironment } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { ConfigurationError, GatehouseError } from '../../lib/errors.ts';
import { createServerKeys } from '../../lib/server-keys.ts';
import type { SignInPlace, SignIns } from '../../oidc/sign-ins.ts';
import type { Account } from '../../ports/account-store.ts';
import { createAudit } from '../compose-audit.ts';
import { composeDenylist } from '../compose-denylist.ts';
import { composeRevocation, composeSignIns } from '../compose-sign-ins.ts';
import { resolveServerSecrets } from '../server-secrets.ts';
import { type AccountAccess, findAccount, withAccounts } from './account-access.ts';
import { silentLogger } from './silent-logger.ts';

/** What commands about an account's sign-ins need. */
export interface SignInAccess {
  account: Account;
  accounts: AccountAccess['accounts'];
  signIns: SignIns;
  /** Where the account is signed in. Throws a ConfigurationError when that can't be read with these server secrets. */
  list(): Promise<SignInPlace[]>;
  /** Why a sign-in that somebody knows of may not be found from here; empty where nothing speaks for it. */
  doubt: string;
}

/**
 * Opens the stores that the servers use, as they do, for as long as `work` takes. What it ends is told as done by the
 * operator. Throws `not_found` when there is no such account, and as `withAccounts` does.
 */
export function withSignIns<T>(who: string, work: (access: SignInAccess) => Promise<T>): Promise<T> {
  // Without a database the embedded one is meant, whose secret lies beside it.
  const onServers = ['GATEHOUSE_DATABASE_URL', 'GATEHOUSE_DATABASE_URL_FILE'].some(
    (name) => processEnvironment()[name],
  );
  const required = onServers ? (['GATEHOUSE_SERVER_SECRETS'] as const) : [];
  return withAccounts((access) => compose(who, access, work), { required, redis: true });
}

async function compose<T>(
  who: string,
  access: AccountAccess,
  work: (access: SignInAccess) => Promise<T>,
): Promise<T> {
  const { config, ports, accounts, store } = access;
  const { families, unitOfWork } = ports;
  const serverKeys = createServerKeys(await resolveServerSecrets(config, ports.secrets));
  const untold: unknown[] = [];
  const logger = { warn: () => {}, error: ({ err }: Record<string, unknown>) => void untold.push(err) };
  const audit = createAudit({ unitOfWork, families, clock, logger, actor: 'operator' });
  const denylist = composeDenylist(ports, { logger: silentLogger() });
  const revocation = composeRevocation({ config, ports, denylist, clock, audit });
  // What can't be taken off the list is said when its place is ended.
  const parts = { config, ports, serverKeys, clock, revocation, audit, unlisted: () => {} };
  const { signIns } = composeSignIns(parts);
  const account = await findAccount(store, who);
  const list = async () => {
    if (!(await signIns.isReadable(account.id))) throw foreignSecrets();
    return signIns.list(account.id);
  };
  const result = await work({ account, accounts, signIns, list, doubt: doubt(config) });
  if (untold.length === 0) return result;
  const message = 'It is ended, but the event that tells so could not be written.';
  throw new GatehouseError('store_unavailable', message, { cause: untold[0] });
}

/** Sessions that servers keep elsewhere than where the settings of this command point to look like none. */
function doubt({ databaseUrl, redisUrl }: Config): string {
  if (databaseUrl === undefined || redisUrl !== undefined) return '';
  return 'GATEHOUSE_REDIS_URL is not set here: if the servers have one, set it, since they keep sign-ins there.';
}

const foreignSecrets = () =>
  new ConfigurationError([
    "The account's sign-ins can't be read: they were sealed with other server secrets. Set GATEHOUSE_SERVER_SECRETS as the servers have it.",
  ]);

import { composeRevocation } from '../../compose/compose-sign-ins.ts';
import { resolveServerSecrets } from '../../compose/server-secrets.ts';
import { processEnvironment } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { longestRefreshTokenSeconds } from '../../config/settings-tokens.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { createServerKeys, type ServerKeys } from '../../lib/server-keys.ts';
import { createClientRevocation } from '../../revocation/client-revocation.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import { type AccountAccess, withAccounts } from './account-access.ts';
import { silentLogger } from './silent-logger.ts';

/** What commands need that end what was issued. */
export interface RevocationAccess extends AccountAccess {
  revocation: Revocation;
  /** Ends everything a client was issued. */
  revokeClient(clientId: string): Promise<void>;
  /** Throws a ConfigurationError when the server secrets can't be read. */
  serverKeys(): Promise<ServerKeys>;
  /** Why something that somebody knows of may not be found from here; empty where nothing speaks for it. */
  doubt: string;
}

/**
 * Opens the stores that the servers use, as they do, for as long as `work` takes. What it ends is told as done by the
 * operator. Throws as `withAccounts` does.
 *
 * @param options `secrets`: whether the command needs the servers' own secrets
 */
export function withRevocation<T>(
  work: (access: RevocationAccess) => Promise<T>,
  { secrets }: { secrets: boolean },
): Promise<T> {
  // Without a database the embedded one is meant, whose secret lies beside it.
  const onServers = ['GATEHOUSE_DATABASE_URL', 'GATEHOUSE_DATABASE_URL_FILE'].some(
    (name) => processEnvironment()[name],
  );
  const required = secrets && onServers ? (['GATEHOUSE_SERVER_SECRETS'] as const) : [];
  return withAccounts((access) => compose(access, work), { required, redis: true });
}

async function compose<T>(access: AccountAccess, work: (access: RevocationAccess) => Promise<T>): Promise<T> {
  const { config, ports } = access;
  const { unitOfWork } = ports;
  const { denylist, newEvent } = access;
  const revocation = composeRevocation({
    config,
    ports,
    denylist,
    unitOfWork,
    newEvent,
    clock,
    logger: silentLogger(),
  });
  const revokeClient = createClientRevocation({
    unitOfWork,
    clock,
    denylist,
    // Not as it is set here and now: the servers may have it otherwise, or had.
    refreshTokenSeconds: longestRefreshTokenSeconds,
  });
  const serverKeys = async () => createServerKeys(await resolveServerSecrets(config, ports.secrets));
  return work({ ...access, revocation, revokeClient, serverKeys, doubt: doubt(config) });
}

/** What servers keep elsewhere than where the settings of this command point to looks as if it weren't there. */
function doubt({ databaseUrl, redisUrl }: Config): string {
  if (databaseUrl === undefined || redisUrl !== undefined) return '';
  return 'GATEHOUSE_REDIS_URL is not set here: if the servers have one, set it, since they keep sign-ins there.';
}

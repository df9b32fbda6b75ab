import { Cluster, type Redis } from 'ioredis';
import type { Credential } from '../../provider/lib/credentials.ts';
import type { Credentials, RedisClient } from './client.ts';

/** Where the credentials for Redis come from. */
export interface RedisCredentials {
  /** The credential for the next connection. May come from a cache. */
  current(): Promise<Credential>;
  /** All credentials that may be right now, the current one first, read past any cache. */
  candidates(): Promise<Credential[]>;
  /** Only for credentials that expire, such as IAM tokens. */
  expiry?: CredentialExpiry | undefined;
}

/** All times are in milliseconds. */
export interface CredentialExpiry {
  /**
   * How often a new credential is taken for later connections. The client of a cluster opens connections at any time, for
   * example to read the slots again. So this is shorter than the life of a credential, and two failures do no harm.
   */
  renewMs: number;
  /** How often open connections authenticate again. The server ends those that don't do it in time. */
  authenticateMs: number;
}

/** Whether Redis refused user name or password. */
const isRefused = (error: unknown) =>
  /^(WRONGPASS|NOAUTH|ERR invalid password)/.test((error as Error).message);

/**
 * Reads the credential again after each lost connection, and past any cache after a refused one, so that a rotated
 * credential is used. The driver takes it from its options each time it connects. An attempt to connect before the new
 * credential arrives fails; the next attempt uses it. When it can't be read, the previous one stays in use.
 *
 * A credential that expires is also renewed on a schedule, and every open connection authenticates again with it.
 */
export function keepCredentialsFresh(
  client: RedisClient,
  initial: Credentials,
  { current, candidates, expiry }: RedisCredentials,
  onTrouble: (reason: unknown) => void,
): void {
  let inUse = initial;
  let refused = false;
  let asking: Promise<void> | undefined;

  const use = (node: Redis) => {
    node.options.password = inUse.password;
    node.options.username = inUse.username;
  };
  const nodes = () => (client instanceof Cluster ? client.nodes() : [client]);
  const next = async () => {
    if (!refused) return current();
    refused = false;
    return (await candidates())[0] ?? current();
  };
  const refresh = () => {
    asking ??= next()
      .then(({ user, password }) => {
        inUse = { username: user ?? initial.username, password };
        nodes().forEach(use);
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  const refreshAfterLoss = () => {
    refresh().catch((error: unknown) => client.emit('error', error));
  };
  const authenticate = async (node: Redis) => {
    // A node without a connection takes the credential from its options when it connects.
    if (node.status !== 'ready') return;
    const { username = 'default', password = '' } = inUse;
    await node.auth(username, password);
  };
  const authenticateAll = async () => {
    await refresh();
    await Promise.all(nodes().map(authenticate));
  };
  const note = (error: unknown) => {
    refused ||= isRefused(error);
  };

  client.on('error', note);
  client.on('node error', note);
  client.on('reconnecting', refreshAfterLoss);
  client.on('-node', refreshAfterLoss);
  client.on('+node', use);
  if (expiry === undefined) return;
  const timers = [
    setInterval(() => refresh().catch(onTrouble), expiry.renewMs),
    setInterval(() => authenticateAll().catch(onTrouble), expiry.authenticateMs),
  ];
  for (const timer of timers) timer.unref();
  client.on('end', () => timers.forEach(clearInterval));
}

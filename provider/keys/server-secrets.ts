import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { createServerKeys, type ServerKeys } from '../lib/server-keys.ts';

/** The secrets of the servers, the current one first. */
export type SecretList = readonly [string, ...string[]];

export interface ServerSecretsDeps {
  /** Gives the secrets as they are now. */
  read(): Promise<SecretList>;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** The server secrets of a process, and the keys that are made from them. */
export interface ServerSecrets {
  /** They always follow the secrets, so they can be kept. */
  keys: ServerKeys;
  /** Reads the secrets again. Never rejects. */
  refresh(): Promise<void>;
  /** Adds a listener. It is called after the keys changed, for parts that copy them. */
  onChange(changed: () => void): void;
}

/**
 * How long a process knows a secret before it seals with it. The other processes find it within this time, so they can
 * open what it sealed.
 */
const knownMs = 5 * 60_000;

/**
 * Loads the server secrets. What a secret sealed can be opened as soon as this process knows the secret. New values are
 * sealed with the first secret that the process has known for five minutes, or since its start.
 *
 * @throws an error of `read`
 */
export async function openServerSecrets({ read, clock, logger }: ServerSecretsDeps): Promise<ServerSecrets> {
  const first = await read();
  const knownSince = new Map(first.map((secret) => [secret, Number.NEGATIVE_INFINITY]));
  const keys = createServerKeys(first);
  const listeners: (() => void)[] = [];
  let inUse = first;

  const sealingOf = (secrets: SecretList): string => {
    const now = clock.now();
    for (const secret of knownSince.keys()) if (!secrets.includes(secret)) knownSince.delete(secret);
    for (const secret of secrets) knownSince.set(secret, knownSince.get(secret) ?? now);
    return secrets.find((secret) => now - (knownSince.get(secret) ?? now) >= knownMs) ?? secrets[0];
  };
  const use = (secrets: SecretList) => {
    const sealing = sealingOf(secrets);
    const next: SecretList = [sealing, ...secrets.filter((secret) => secret !== sealing)];
    if (next.join() === inUse.join()) return;
    keys.replace(next);
    for (const changed of listeners) changed();
    inUse = next;
    const position = secrets.indexOf(sealing) + 1;
    logger.info({ known: secrets.length, sealing: position }, 'server secrets changed');
  };

  return {
    keys,
    refresh: async () => {
      try {
        use(await read());
      } catch (error) {
        logger.warn({ err: error }, 'new server secrets not in use yet, trying again');
      }
    },
    onChange: (changed) => void listeners.push(changed),
  };
}

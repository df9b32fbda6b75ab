import type { ClientTokenVersions } from '../ports/client-token-versions.ts';

export interface KnownClientTokenVersions {
  /**
   * The token version under which a client is issued tokens, as far as this process knows; 0 when it was never revoked.
   */
  of(clientId: string): number;
  /** Reads the versions, and repeats that. Rejects when the first read fails. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The time after a client's revocation until the tokens that it is issued are valid in every process. */
const defaultIntervalMs = 500;

/**
 * The recent token versions of the clients, only for issuing tokens. A process that does not know of a revocation yet
 * issues invalid tokens for a moment. The denylist decides whether a token is valid, so old versions are safe to use.
 * When a read fails, the last versions stay in use. The failure is counted where the store is called.
 */
export function createKnownClientTokenVersions(
  store: Pick<ClientTokenVersions, 'all'>,
  { intervalMs = defaultIntervalMs }: { intervalMs?: number } = {},
): KnownClientTokenVersions {
  let known: ReadonlyMap<string, number> = new Map();
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;
  let stopped = true;

  const read = async () => {
    known = await store.all();
  };
  const readAgain = () => {
    reading = read()
      .catch(() => {})
      .then(schedule);
  };
  const schedule = () => {
    if (stopped) return;
    timer = setTimeout(readAgain, intervalMs);
    timer.unref();
  };

  return {
    of: (clientId) => known.get(clientId) ?? 0,
    start: async () => {
      stopped = false;
      await read();
      schedule();
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await reading;
    },
  };
}

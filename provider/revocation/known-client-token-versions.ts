import type { ClientTokenVersions } from '../ports/client-token-versions.ts';

export interface KnownClientTokenVersions {
  /** What a client is issued under, as far as is known here: 0 for one that was never revoked. */
  of(clientId: string): number;
  /** Reads the numbers, and from then on again and again. Rejects when that fails the first time. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Clients' token versions as they were a moment ago. For issuing only: whoever doesn't know of a revocation yet issues
 * what is dead, for a moment; whether something is good is asked of the denylist. So a read that fails leaves the last ones in
 * use; that it did is counted where stores are called.
 */
export function createKnownClientTokenVersions(
  store: Pick<ClientTokenVersions, 'all'>,
  { intervalMs }: { intervalMs: number },
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

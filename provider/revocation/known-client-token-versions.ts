import { createFollower, type FollowerOptions } from '../lib/follower.ts';
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

/**
 * The shortest pause between two reads. Without signals, it is also the time after a client's revocation until the tokens
 * that it is issued are valid in every process.
 */
const defaultIntervalMs = 500;
/** The pauses while signals arrive: while tokens are issued, and while none are. */
const usedMs = 10_000;
const idleMs = 120_000;

/**
 * The recent token versions of the clients, only for issuing tokens. A process that does not know of a revocation yet
 * issues invalid tokens for a moment. The denylist decides whether a token is valid, so old versions are safe to use.
 * When a read fails, the last versions stay in use. The failure is counted where the store is called.
 *
 * @param options.listen receives a signal about each revocation, so the process is quiet while there is none
 */
export function createKnownClientTokenVersions(
  store: Pick<ClientTokenVersions, 'all'>,
  {
    intervalMs = defaultIntervalMs,
    listen,
  }: { intervalMs?: number; listen?: FollowerOptions['listen'] } = {},
): KnownClientTokenVersions {
  let known: ReadonlyMap<string, number> = new Map();
  /** Whether tokens were issued since the last pause began. */
  let used = false;
  let pausesLong = false;

  const read = async () => {
    known = await store.all();
  };
  const follower = createFollower({
    look: read,
    listen,
    pauseMs: (signalsArrive) => {
      pausesLong = signalsArrive && !used;
      const pauseMs = used ? usedMs : idleMs;
      used = false;
      return signalsArrive ? pauseMs : intervalMs;
    },
    restMs: intervalMs,
  });

  return {
    of: (clientId) => {
      used = true;
      // A signal may have been lost in a long pause.
      if (pausesLong) {
        pausesLong = false;
        follower.wake();
      }
      return known.get(clientId) ?? 0;
    },
    start: async () => {
      await read();
      follower.start();
    },
    stop: follower.stop,
  };
}

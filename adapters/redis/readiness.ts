import type { RedisClient } from './client.ts';

export interface Readiness {
  /** Resolves when the client is connected, or when the connection has been lost for `patienceMs`. */
  settled(): Promise<void>;
}

/**
 * Lets callers wait during a short interruption. The wait is counted from the moment when the connection was lost.
 * After `patienceMs`, every call fails at once until Redis is available again.
 */
export function createReadiness(client: RedisClient, patienceMs: number): Readiness {
  let waiting: Promise<void> | undefined;
  let finish = () => {};
  let ended = false;

  const lost = () => {
    if (waiting) return;
    waiting = new Promise((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      timer.unref();
      finish = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };
  const found = () => {
    finish();
    waiting = undefined;
  };

  client.on('ready', found);
  client.on('close', lost);
  client.on('end', () => {
    ended = true;
    finish();
  });
  lost();
  return {
    settled: async () => {
      if (ended) return;
      // The status changes shortly before the client emits the event.
      if (client.status !== 'ready') lost();
      await waiting;
    },
  };
}

import type { RedisClient } from './client.ts';

export interface Readiness {
  /** Resolves once the client is connected, or has been away for as long as callers are made to wait. */
  settled(): Promise<void>;
}

/**
 * Callers wait together during a short interruption, and no caller waits long. The wait is counted from the moment the
 * connection was lost. After `patienceMs` every call fails at once until Redis is available again.
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
      // The status changes a moment before the event that tells of it.
      if (client.status !== 'ready') lost();
      await waiting;
    },
  };
}

import type { RedisClient } from './client.ts';
import { reasonOf } from './store-errors.ts';

export interface RedisStateChange {
  /** `partial`: a node of the cluster failed while other nodes answer. */
  state: 'ready' | 'partial' | 'away' | 'closed';
  /** The driver's message, without secrets and keys. */
  reason?: string | undefined;
}

/**
 * Reports each change of the connection's state once, and each new reason for the same state once, even if the driver
 * repeats it. It also listens to the driver's `error` events: without a listener, such an event would end the process.
 */
export function tellStateChanges(client: RedisClient, tell: (change: RedisStateChange) => void): void {
  let current: RedisStateChange['state'] | undefined;
  const reasons = new Set<string>();
  const say = (state: RedisStateChange['state'], reason?: string) => {
    // The client of a cluster emits `close` once for each node, also after `end`.
    if (current === 'closed') return;
    if (current === state && (reason === undefined || reasons.has(reason))) return;
    if (current !== state) reasons.clear();
    if (reason !== undefined) reasons.add(reason);
    current = state;
    tell({ state, reason });
  };
  // An `error` event may come just before the `close` event that it explains. It may also come alone, while the
  // connection continues.
  let reason: string | undefined;
  client.on('error', (error: unknown) => {
    reason = reasonOf(error);
    if (client.status !== 'ready') say('away', reason);
  });
  client.on('ready', () => {
    reason = undefined;
    say('ready');
  });
  client.on('close', () => {
    // The status shows only after all listeners have run whether the driver will reconnect.
    process.nextTick(() => {
      if (client.status !== 'end') say('away', reason);
    });
  });
  client.on('end', () => say('closed', reason));
  tellNodeFailures(client, say);
}

function tellNodeFailures(
  client: RedisClient,
  say: (state: RedisStateChange['state'], reason?: string) => void,
): void {
  let failures = 0;
  client.on('node error', (error: unknown, node: string) => {
    failures += 1;
    say(client.status === 'ready' ? 'partial' : 'away', `${node}: ${reasonOf(error)}`);
  });
  // The client emits `refresh` each time it has read again which node holds which slots. By then, failed nodes were
  // replaced or are available again.
  client.on('refresh', () => {
    if (failures === 0 && client.status === 'ready') say('ready');
    failures = 0;
  });
}

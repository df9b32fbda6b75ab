import type { RedisClient } from './client.ts';
import { reasonOf } from './store-errors.ts';

export interface RedisStateChange {
  /** `partial`: a node of the cluster failed while others answer. */
  state: 'ready' | 'partial' | 'away' | 'closed';
  /** What the driver says; holds no secret and no key. */
  reason?: string | undefined;
}

/**
 * Tells every change of the connection's state, and each further reason for it, once, however often the driver
 * repeats it; and listens to the driver's errors, which would end the process if nobody did.
 */
export function tellStateChanges(client: RedisClient, tell: (change: RedisStateChange) => void): void {
  let current: RedisStateChange['state'] | undefined;
  const reasons = new Set<string>();
  const say = (state: RedisStateChange['state'], reason?: string) => {
    // A cluster's client says `close` once for each node, also after its `end`.
    if (current === 'closed') return;
    if (current === state && (reason === undefined || reasons.has(reason))) return;
    if (current !== state) reasons.clear();
    if (reason !== undefined) reasons.add(reason);
    current = state;
    tell({ state, reason });
  };
  // An error may come just before the close it explains, or alone while the connection goes on.
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
    // Only after all listeners ran is it known whether this is the end or the driver comes back.
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
  // Said each time the client has learnt anew which node has what: failed nodes were replaced by then, or are back.
  client.on('refresh', () => {
    if (failures === 0 && client.status === 'ready') say('ready');
    failures = 0;
  });
}

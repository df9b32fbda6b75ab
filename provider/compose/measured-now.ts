import type { CurrentKeys } from '../keys/key-ring.ts';
import type { Clock } from '../lib/clock.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Outbox } from '../ports/outbox.ts';

export interface MeasureDeps {
  outbox: Pick<Outbox, 'depth'>;
  keys(): CurrentKeys;
  clock: Clock;
  metrics: Metrics;
}

/** What is looked up when somebody asks for metrics, so that it costs nothing at rest. */
export async function measureNow(deps: MeasureDeps): Promise<void> {
  measureKeys(deps);
  await measureOutbox(deps);
}

function measureKeys({ keys, clock, metrics }: MeasureDeps): void {
  const { signing, published, kept } = keys();
  const now = clock.now();
  const others = published.filter(({ kid }) => kid !== signing.kid);
  const upcoming = others.filter(({ signsFrom }) => signsFrom > now);
  metrics.keys.set(1, { state: 'signing' });
  metrics.keys.set(upcoming.length, { state: 'upcoming' });
  metrics.keys.set(others.length - upcoming.length, { state: 'retired' });
  metrics.keys.set(kept.length - published.length, { state: 'kept' });
}

/** A store that is away is told by its own metrics; what was known of the outbox stands meanwhile. */
async function measureOutbox({ outbox, clock, metrics }: MeasureDeps): Promise<void> {
  const depth = await outbox.depth().catch(() => undefined);
  if (!depth) return;
  metrics.outboxPending.set(depth.pending);
  metrics.outboxSetAside.set(depth.setAside);
  metrics.outboxOldest.set(depth.oldest === undefined ? 0 : (clock.now() - depth.oldest) / 1000);
}

/** What the relay tells. */
export const deliveryMetrics = (metrics: Metrics) => ({
  events: (outcome: string, count: number) => metrics.outboxEvents.add(count, { outcome }),
  lag: (seconds: number) => metrics.outboxLag.observe(seconds),
});

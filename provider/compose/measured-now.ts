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

/** Measures values when somebody requests the metrics, so that this costs nothing at other times. */
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

/**
 * Measures the outbox. The store's own metrics report that it is unavailable; meanwhile, the metrics of the outbox keep
 * their last values.
 */
async function measureOutbox({ outbox, clock, metrics }: MeasureDeps): Promise<void> {
  const depth = await outbox.depth().catch(() => undefined);
  if (!depth) return;
  metrics.outboxPending.set(depth.pending);
  metrics.outboxSetAside.set(depth.setAside);
  metrics.outboxOldest.set(depth.oldest === undefined ? 0 : (clock.now() - depth.oldest) / 1000);
}

/** The metrics that the relay reports. */
export const deliveryMetrics = (metrics: Metrics) => ({
  events: (outcome: string, count: number) => metrics.outboxEvents.add(count, { outcome }),
  lag: (seconds: number) => metrics.outboxLag.observe(seconds),
});

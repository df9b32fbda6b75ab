import { createDelivery, type Delivered, type DeliveryOptions } from './delivery.ts';
import { createPollingLoop, type PollingLoop } from './polling-loop.ts';

type Tuning = Pick<DeliveryOptions, 'batch' | 'leaseMs' | 'retry' | 'maxAttempts'> & {
  /** The first pause when there is nothing to publish. */
  minIdleMs: number;
  /** The longest pause: an idle process makes one query in this many milliseconds. */
  maxIdleMs: number;
};

const defaults: Tuning = {
  batch: 50,
  leaseMs: 60_000,
  retry: { baseMs: 1000, maxMs: 300_000 },
  maxAttempts: 50,
  minIdleMs: 250,
  maxIdleMs: 10_000,
};

export type RelayDeps = Omit<DeliveryOptions, keyof Tuning> & Partial<Tuning>;

export interface Relay extends PollingLoop {
  /** One batch; throws when the outbox can't be reached. */
  runOnce(): Promise<Delivered>;
}

/**
 * Publishes the events in the outbox at least once, and in order for each subject. Any number of processes may run a
 * relay. Pauses become longer after a pass that publishes nothing, and after a pass that finds nothing.
 */
export function createRelay(deps: RelayDeps): Relay {
  const options = { ...defaults, ...deps };
  const runOnce = createDelivery(options);
  const loop = createPollingLoop({
    step: async () => {
      const { published, setAside } = await runOnce();
      return published + setAside > 0;
    },
    failed: (error) => deps.logger.warn({ err: error }, 'outbox cannot be read, trying again'),
    minIdleMs: options.minIdleMs,
    maxIdleMs: options.maxIdleMs,
  });
  return { ...loop, runOnce };
}

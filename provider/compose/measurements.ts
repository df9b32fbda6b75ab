import type { CurrentKeys } from '../keys/key-ring.ts';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Tracing } from '../lib/tracing.ts';
import type { Logouts } from '../ports/logouts.ts';
import type { Mails } from '../ports/mails.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { SignInUnitOfWork, TransactionStores } from '../ports/unit-of-work.ts';
import type { Home, Ports } from './ports.ts';

export interface PortWatch {
  metrics: Pick<Metrics, 'storeCallDuration' | 'storeErrors'>;
  clock: Clock;
  tracing: Tracing | undefined;
}

/** The product names in OpenTelemetry's conventions. */
const systems: Record<Home, string> = {
  postgres: 'postgresql',
  redis: 'redis',
  file: 'file',
  secretsmanager: 'aws.secretsmanager',
  kms: 'aws.kms',
};

type Method = (...args: unknown[]) => Promise<unknown>;

/** Gives a method of a port with measured calls. */
type Measure = (port: string, method: string, call: Method) => Method;

const stores = [
  ...(['accounts', 'consents', 'outbox', 'denylist', 'oidcStore'] as const),
  ...(['families', 'accountIndex', 'keyStore', 'revocationCache', 'limits', 'clientTokenVersions'] as const),
  ...(['clientSessions', 'logouts', 'mails', 'secondFactors', 'oneTimeTokens'] as const),
  ...(['addressChanges', 'signInHistory', 'mailSuppressions', 'passkeys'] as const),
  ...(['remoteSigner', 'clients', 'registeredClients'] as const),
];

/**
 * Returns the same ports with measured calls. Each call is timed, is counted when it fails, and becomes a span of the
 * current request. The measurement wraps the ports and is not part of the adapters. So no store can be forgotten, and
 * no adapter depends on it.
 */
export function measuredPorts(ports: Ports, watch: PortWatch): Ports {
  const measure = measuring(ports.homes, watch);
  const measured = stores.map((name) => [name, ports[name] && around<object>(ports[name], name, measure)]);
  // A transaction creates a store when the work first uses it, and uses one or two of its methods.
  const transaction = (given: TransactionStores) =>
    lazily(given, (store, name) =>
      lazily(store as object, (call, method) =>
        measure(name, method, (...args) => Reflect.apply(call as Method, store, args)),
      ),
    );
  const unitOfWork: SignInUnitOfWork = {
    run: (work) => ports.unitOfWork.run((given) => work(transaction(given))),
    recordSignIn: (...given) => ports.unitOfWork.recordSignIn(...given),
  };
  return {
    ...ports,
    ...Object.fromEntries(measured),
    unitOfWork: around(unitOfWork, 'unitOfWork', measure),
    expired: ports.expired.map((rows) => around(rows, 'expired', measure)),
  };
}

/** Returns an object with the same methods, also those of its classes. The methods of all ports return promises. */
function around<Port extends object>(port: Port, name: string, measure: Measure): Port {
  const measured: Record<string, Method> = {};
  for (let owner = port; owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    for (const method of Object.getOwnPropertyNames(owner))
      measured[method] ??= measure(name, method, (...args) =>
        Reflect.apply(port[method as keyof Port] as Method, port, args),
      );
  }
  return measured as Port;
}

/** Returns the same object, but wraps each member when it is used. */
function lazily<Target extends object>(
  target: Target,
  wrap: (member: unknown, name: string) => unknown,
): Target {
  return new Proxy(target, {
    get: (_, name) => wrap(Reflect.get(target, name, target), String(name)),
  });
}

function measuring(homes: Ports['homes'], { metrics, clock, tracing }: PortWatch): Measure {
  // An error inside a transaction makes the transaction fail too. It is counted only once.
  const counted = new WeakSet<object>();
  const isNew = (error: unknown) => {
    if (typeof error !== 'object' || error === null || counted.has(error)) return false;
    counted.add(error);
    return true;
  };
  return (port, method, call) => {
    const store = homes[port as keyof Ports['homes']] ?? homes.unitOfWork;
    const labels = { store, operation: `${port}.${method}` };
    const span = `${store} ${labels.operation}`;
    const attributes = { 'db.system.name': systems[store], 'db.operation.name': labels.operation };
    return async (...args) => {
      const startedAt = clock.now();
      try {
        return await (tracing ? tracing.span(span, attributes, () => call(...args)) : call(...args));
      } catch (error) {
        if (isFailure(error, port) && isNew(error)) metrics.storeErrors.inc(labels);
        throw error;
      } finally {
        metrics.storeCallDuration.observe(Math.max(0, clock.now() - startedAt) / 1000, labels);
      }
    };
  };
}

/**
 * Decides whether an error counts as a failure of the store. An expected error, such as a refusal, does not. Other
 * errors that the work inside a transaction throws are not failures of the transaction either.
 */
function isFailure(error: unknown, port: string): boolean {
  if (error instanceof GatehouseError) return error.code === 'store_unavailable';
  return port !== 'unitOfWork';
}

export interface MeasureDeps {
  outbox: Pick<Outbox, 'depth'>;
  logouts: Pick<Logouts, 'depth'>;
  /** Undefined when mail is off. */
  mails: Pick<Mails, 'depth'> | undefined;
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
 * Measures the outbox, and the logouts and mails that wait. The store's own metrics report that it is unavailable; meanwhile, the metrics of the outbox keep
 * their last values.
 */
export async function measureOutbox(deps: Omit<MeasureDeps, 'keys'>): Promise<void> {
  const { outbox, logouts, mails, clock, metrics } = deps;
  const [depth, waiting, unsent] = await Promise.all(
    [outbox, logouts, mails].map((store) => store?.depth().catch(() => undefined)),
  );
  const age = (oldest: number | undefined) => (oldest === undefined ? 0 : (clock.now() - oldest) / 1000);
  if (waiting) {
    metrics.logoutsPending.set(waiting.pending);
    metrics.logoutsSetAside.set(waiting.setAside);
    metrics.logoutsOldest.set(age(waiting.oldest));
  }
  if (unsent) {
    metrics.mailsPending.set(unsent.pending);
    metrics.mailsSetAside.set(unsent.setAside);
    metrics.mailsOldest.set(age(unsent.oldest));
  }
  if (!depth) return;
  metrics.outboxPending.set(depth.pending);
  metrics.outboxSetAside.set(depth.setAside);
  metrics.outboxOldest.set(age(depth.oldest));
}

/** The metrics that the delivery of logouts reports. */
export const logoutMetrics = (metrics: Metrics) => ({
  logouts: (outcome: string) => metrics.logouts.inc({ outcome }),
  delay: (seconds: number) => metrics.logoutDelay.observe(seconds),
});

/** The metrics that the delivery of mails reports. */
export const mailMetrics = (metrics: Metrics) => ({
  mails: (outcome: string) => metrics.mails.inc({ outcome }),
  delay: (seconds: number) => metrics.mailDelay.observe(seconds),
  reports: (outcome: string) => metrics.mailReports.inc({ outcome }),
});

/** The metrics that the relay reports. */
export const deliveryMetrics = (metrics: Metrics) => ({
  events: (outcome: string, count: number) => metrics.outboxEvents.add(count, { outcome }),
  lag: (seconds: number) => metrics.outboxLag.observe(seconds),
});

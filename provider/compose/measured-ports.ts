import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Tracing } from '../lib/tracing.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { Home, Ports } from './adapters.ts';

export interface PortWatch {
  metrics: Pick<Metrics, 'storeCallDuration' | 'storeErrors'>;
  clock: Clock;
  tracing: Tracing | undefined;
}

/** As OpenTelemetry's conventions name them. */
const systems: Record<Home, string> = { postgres: 'postgresql', redis: 'redis', file: 'file' };

type Call = (port: string, operation: string, work: () => Promise<unknown>) => Promise<unknown>;

const stores = [
  ...(['accounts', 'consents', 'outbox', 'denylist', 'oidcStore'] as const),
  ...(['families', 'accountIndex', 'keyStore', 'revocationCache', 'limits', 'clientTokenVersions'] as const),
];

/**
 * The same ports, each call of which is timed, counted when it fails, and a span of the request under way. Around the
 * ports rather than in the adapters, so that no store can be forgotten and none has to know.
 */
export function measuredPorts(ports: Ports, watch: PortWatch): Ports {
  const call = watched(ports.homes, watch);
  const measured = stores.map((name) => [name, ports[name] && around<object>(ports[name], name, call)]);
  const transaction = (given: TransactionStores) =>
    Object.fromEntries(
      Object.entries(given).map(([name, store]) => [name, around(store, name, call)]),
    ) as unknown as TransactionStores;
  return {
    ...ports,
    ...Object.fromEntries(measured),
    unitOfWork: {
      run: <T>(work: (given: TransactionStores) => Promise<T>) =>
        call('unitOfWork', 'run', () =>
          ports.unitOfWork.run((given) => work(transaction(given))),
        ) as Promise<T>,
    },
    expired: ports.expired.map((rows) => around(rows, 'expired', call)),
  };
}

/** A stand-in that hands every method call on; the methods of all ports give promises. */
function around<Port extends object>(port: Port, name: string, call: Call): Port {
  const methods = new WeakMap<object, unknown>();
  return new Proxy(port, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      const known = methods.get(value);
      if (known !== undefined) return known;
      const method = (...args: unknown[]) =>
        call(name, String(property), async () => Reflect.apply(value, target, args));
      methods.set(value, method);
      return method;
    },
  });
}

function watched(homes: Ports['homes'], { metrics, clock, tracing }: PortWatch): Call {
  // What failed inside a transaction fails the transaction too: it is counted once.
  const counted = new WeakSet<object>();
  const isNew = (error: unknown) => {
    if (typeof error !== 'object' || error === null || counted.has(error)) return false;
    counted.add(error);
    return true;
  };
  return async (port, method, work) => {
    const store = homes[port as keyof Ports['homes']] ?? homes.unitOfWork;
    const operation = `${port}.${method}`;
    const startedAt = clock.now();
    try {
      const attributes = { 'db.system.name': systems[store], 'db.operation.name': operation };
      return await (tracing ? tracing.span(`${store} ${operation}`, attributes, work) : work());
    } catch (error) {
      if (isFailure(error, port) && isNew(error)) metrics.storeErrors.inc({ store, operation });
      throw error;
    } finally {
      const seconds = Math.max(0, clock.now() - startedAt) / 1000;
      metrics.storeCallDuration.observe(seconds, { store, operation });
    }
  };
}

/** A refusal isn't a failure of the store; and of a transaction, what its work threw is its own affair. */
function isFailure(error: unknown, port: string): boolean {
  if (error instanceof GatehouseError) return error.code === 'store_unavailable';
  return port !== 'unitOfWork';
}

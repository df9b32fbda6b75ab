import type { Config } from '../config/schema.ts';
import { createNewEvent } from '../events/catalogue.ts';
import { createLogoutDelivery, type LogoutDeliveryDeps } from '../events/logout-delivery.ts';
import { createPollingLoop, type PollingLoop } from '../events/polling-loop.ts';
import { createRelay, type RelayDeps } from '../events/relay.ts';
import { type KeyTimes, keyTimesOf } from '../keys/key-set.ts';
import { rotateWhenDue } from '../keys/scheduled-rotation.ts';
import type { Clock } from '../lib/clock.ts';
import type { Listener } from '../lib/follower.ts';
import { newId } from '../lib/ids.ts';
import type { Component } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { KeyStore } from '../ports/key-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import { createLeadership } from './leadership.ts';
import { deliveryMetrics, logoutMetrics } from './measurements.ts';
import type { Ports } from './ports.ts';
import { createSweep } from './sweep.ts';

/** Pauses of a delivery. */
type Pauses = Pick<RelayDeps, 'minIdleMs' | 'maxIdleMs'>;

export interface JobsDeps {
  ports: Pick<Ports, 'outbox' | 'logouts' | 'unitOfWork' | 'eventSink' | 'expired' | 'leases' | 'wakeUp'>;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Whether this process may do the jobs. Otherwise it only wakes the process that does them. */
  takesPart: boolean;
  /** Sends a logout token. Undefined: this process has no signing keys, so logouts wait for another one. */
  sendLogout?: LogoutDeliveryDeps['send'] | undefined;
  /** Creates what sends mails. It gives undefined when mail is off. */
  mails?: ((pauses: Pauses) => PollingLoop | undefined) | undefined;
  /** Adds a signing key when the newest one is this old. Undefined: keys are rotated by command only. */
  keyRotation?: { store: KeyStore; everyDays: number; times: KeyTimes } | undefined;
  /** Pauses of the deliveries that differ from their defaults. */
  pauses?: Pauses;
  /** How long after the end of a killed leader another process takes over. The default is 60,000 ms, because each extension costs a query, also at rest. */
  leaseMs?: number;
}

export interface Jobs {
  component: Component;
  /** Call it after a commit that holds an event, so that the event is published soon. */
  eventCommitted(): void;
  /** The same for a commit that may hold logouts. */
  logoutCommitted(): void;
  /** The same for a commit that holds mails. */
  mailCommitted(): void;
}

/** The longest pause of a delivery that finds nothing to do: while signals arrive, and while they do not. */
const quietMs = 300_000;
const unsignalledMs = 10_000;

/** A process sends at most one signal in this time. */
const signalMs = 50;

/** The jobs that one process does for all: it publishes events, sends logout tokens and mails, and deletes expired rows. */
export function composeJobs(deps: JobsDeps): Jobs {
  const { ports, clock, logger, metrics, takesPart, leaseMs = 60_000 } = deps;
  const signal = createSignal(ports);
  const listener = createListener(ports, () => nudge());
  const pauses = { maxIdleMs: () => (listener.arrives() ? quietMs : unsignalledMs), ...deps.pauses };
  const relay = createRelay({
    outbox: ports.outbox,
    sink: ports.eventSink,
    clock,
    logger,
    metrics: deliveryMetrics(metrics),
    wakeOther: signal.send,
    ...pauses,
  });
  const sweep = createSweep({ expired: ports.expired, clock, intervalSeconds: 300, batch: 1000, logger });
  const logouts = deps.sendLogout && composeDelivery({ ...deps, pauses }, deps.sendLogout, relay.nudge);
  const mails = deps.mails?.(pauses);
  const nudge = () => {
    relay.nudge();
    logouts?.nudge();
    mails?.nudge();
  };
  const rotation = createKeyRotation(deps);
  const leadership = createLeadership({
    leases: ports.leases,
    name: 'jobs',
    holder: newId('process'),
    leaseMs,
    logger,
    work: {
      start: () => {
        relay.start();
        if (logouts) logouts.start();
        else logger.warn({}, 'logout tokens are not sent, this process has no GATEHOUSE_KEYS');
        mails?.start();
        sweep.start();
        listener.start();
        rotation?.start();
      },
      stop: async () => {
        const loops = [relay, logouts, mails, sweep, listener, rotation];
        await Promise.all(loops.map((loop) => loop?.stop()));
      },
    },
  });
  return {
    component: {
      name: 'jobs',
      start: () => {
        if (takesPart) leadership.start();
      },
      stop: async () => {
        signal.stop();
        await leadership.stop();
      },
      // The sink may take this long for the calls that are under way.
      stopSeconds: 10,
    },
    eventCommitted: relay.nudge,
    logoutCommitted: () => (logouts?.runs() ? logouts.nudge() : relay.nudge()),
    mailCommitted: () => (mails?.runs() ? mails.nudge() : relay.nudge()),
  };
}

function composeDelivery(
  { ports, clock, logger, metrics, pauses }: JobsDeps,
  send: LogoutDeliveryDeps['send'],
  eventCommitted: () => void,
) {
  const { logouts } = ports;
  const unitOfWork: UnitOfWork = {
    run: async (work) => {
      const result = await ports.unitOfWork.run(work);
      eventCommitted();
      return result;
    },
  };
  const newEvent = createNewEvent({ clock });
  const told = logoutMetrics(metrics);
  return createLogoutDelivery({
    logouts,
    unitOfWork,
    send,
    newEvent,
    clock,
    logger,
    metrics: told,
    ...pauses,
  });
}

/** Sends a signal to the leader soon. Several calls in a short time cause one signal. A lost signal only costs time. */
function createSignal({ wakeUp }: Pick<Ports, 'wakeUp'>) {
  let timer: NodeJS.Timeout | undefined;
  return {
    send: () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        wakeUp.notify().catch(() => {});
      }, signalMs).unref();
    },
    stop: () => clearTimeout(timer),
  };
}

/** Listens for signals while this process does the jobs. Without signals, events wait for the next poll. */
function createListener({ wakeUp }: Pick<Ports, 'wakeUp'>, woken: () => void) {
  let listener: Listener | undefined;
  return {
    arrives: () => listener?.arrives() ?? false,
    start: () => {
      listener = wakeUp.listen(woken);
    },
    stop: async () => {
      await listener?.stop();
      listener = undefined;
    },
  };
}

/** Checks the age of the keys at once and then every hour. */
function createKeyRotation({ keyRotation, clock, logger }: JobsDeps) {
  if (keyRotation === undefined) return undefined;
  const { store, everyDays, times } = keyRotation;
  return createPollingLoop({
    step: async () => {
      const result = await rotateWhenDue({ store, clock, times }, everyDays);
      if (result.outcome === 'rotated') {
        const signsFrom = new Date(result.signsFrom).toISOString();
        logger.info({ kid: result.kid, signsFrom }, 'signing key added by schedule');
      }
      if (result.outcome === 'in_kms')
        logger.warn({}, 'scheduled key rotation skipped, the newest key is in KMS');
      return false;
    },
    failed: (error) => logger.warn({ err: error }, 'scheduled key rotation failed, trying again'),
    minIdleMs: hourMs,
    maxIdleMs: hourMs,
  });
}

const hourMs = 3_600_000;

/** The schedule of the settings, if there is one. */
export function keyRotationOf(config: Config, store: KeyStore): JobsDeps['keyRotation'] {
  if (config.keysRotateDays === 0) return undefined;
  return { store, everyDays: config.keysRotateDays, times: keyTimesOf(config) };
}

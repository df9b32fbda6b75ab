import type Koa from 'koa';
import type { Component } from '../lib/lifecycle.ts';
import type { ComposeDeps } from './compose-deps.ts';
import { composeJobs, keyRotationOf } from './compose-jobs.ts';
import { composeOperations } from './compose-operations.ts';
import { measuredPorts, measureOutbox } from './measurements.ts';

export interface Worker {
  /** The operations listener's application. */
  operations: Koa;
  jobs: Component;
}

export type WorkerDeps = Pick<
  ComposeDeps,
  'config' | 'ports' | 'clock' | 'logger' | 'metrics' | 'tracing' | 'phase'
>;

/** Assembles a process that does jobs and answers no requests except those of operations. */
export function composeWorker(deps: WorkerDeps): Worker {
  const { config, clock, logger, metrics, tracing } = deps;
  const ports = measuredPorts(deps.ports, { metrics, clock, tracing });
  const { component } = composeJobs({
    ports,
    clock,
    logger,
    metrics,
    takesPart: true,
    keyRotation: keyRotationOf(config, ports.keyStore),
  });
  const operations = composeOperations({ ...deps, ports }, () =>
    measureOutbox({ outbox: ports.outbox, clock, metrics }),
  );
  return { operations, jobs: component };
}

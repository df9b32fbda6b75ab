import { openWorkerPorts } from '../compose/adapters.ts';
import { composeWorker } from '../compose/compose-worker.ts';
import { version } from '../compose/version.ts';
import { loadConfig, processEnvironment } from '../config/load.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { createLifecycle } from '../lib/lifecycle.ts';
import { createLogger } from '../lib/logger.ts';
import { createMetrics } from '../lib/metrics.ts';
import { startTracing } from '../lib/start-tracing.ts';
import { awaitCurrentSchema } from './commands/migrate-schema.ts';
import { listening } from './listening.ts';
import type { Running } from './start.ts';

/**
 * `gatehouse worker`: does the jobs without answering requests. It needs the database, the sink of events, and the signing
 * keys for logout tokens. Any number may run: one does the jobs, and another takes over when it ends. Rejects when `stopping` is aborted before the
 * start is complete.
 */
export async function worker(stopping: AbortSignal): Promise<Running> {
  const config = loadConfig({ required: requiredSettings() });
  const logger = createLogger({ level: config.logLevel });
  const ports = await openWorkerPorts(config, { logger, clock, stopping });
  const lifecycle = createLifecycle({ logger, clock });
  try {
    await awaitCurrentSchema(ports.schema, { logger, stopping });
    for (const dependency of ports.dependencies)
      lifecycle.add({ name: dependency.name, stop: () => dependency.close() });
    const tracing = await startTracing({ environment: processEnvironment(), version, clock, logger });
    if (tracing) lifecycle.add({ name: 'traces', stop: () => tracing.stop(), stopSeconds: 5 });
    const { operations, jobs } = composeWorker({
      config,
      ports,
      clock,
      logger,
      tracing,
      metrics: createMetrics({ version, runtime: true }),
      phase: () => lifecycle.phase(),
    });
    lifecycle.add(jobs);
    const { opsPort: port, opsHost, host, shutdownSeconds } = config;
    lifecycle.add(
      listening('operations listener', { app: operations, port, host: opsHost ?? host }, shutdownSeconds),
    );
    stopping.throwIfAborted();
  } catch (error) {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
    throw error;
  }
  await lifecycle.start();
  logger.info({ opsPort: config.opsPort, version, node: process.versions.node }, 'gatehouse worker is ready');
  return {
    stop: async () => {
      await lifecycle.stop();
    },
  };
}

/** A worker with signing keys signs logout tokens, and these name the issuer. */
function requiredSettings() {
  const has = (name: string) => [name, `${name}_FILE`].some((one) => processEnvironment()[one]);
  const always = ['GATEHOUSE_DATABASE_URL'] as const;
  return has('GATEHOUSE_KEYS') ? ([...always, 'GATEHOUSE_ISSUER'] as const) : always;
}

import { openKubernetes, openPorts } from '../compose/adapters.ts';
import { composeOperator } from '../compose/compose-operator.ts';
import { version } from '../compose/version.ts';
import { loadAccessModel } from '../config/apis.ts';
import { loadConfig, processEnvironment } from '../config/load.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { StoreUnavailable } from '../lib/errors.ts';
import { createLifecycle } from '../lib/lifecycle.ts';
import { createLogger } from '../lib/logger.ts';
import { createMetrics } from '../lib/metrics.ts';
import { startTracing } from '../lib/start-tracing.ts';
import { awaitCurrentSchema } from './commands/migrate-schema.ts';
import { listening } from './listening.ts';
import type { Running } from './start.ts';

/**
 * `gatehouse operator`: makes clients of `OIDCClient` resources. It needs the database and the Kubernetes API. Any
 * number may run: one does the work, and another takes over when it ends. Rejects when `stopping` is aborted before the
 * start is complete.
 */
export async function operator(stopping: AbortSignal): Promise<Running> {
  const config = loadConfig({ required: ['GATEHOUSE_DATABASE_URL', 'GATEHOUSE_ISSUER'] });
  const accessModel = loadAccessModel(config);
  const logger = createLogger({ level: config.logLevel });
  const metrics = createMetrics({ version, runtime: true });
  const { kubernetes, leases, namespaces, dependency } = await openKubernetes({
    namespaces: config.operatorNamespaces,
    now: () => clock.now(),
    onWatchChange: (change) => {
      if (change.state === 'restored')
        return logger.info({ path: change.path }, 'kubernetes can be watched again');
      metrics.operatorWatchFailures.inc();
      logger.warn({ path: change.path, reason: change.reason }, 'kubernetes cannot be watched, trying again');
    },
  });
  // It publishes no events, and needs neither signing keys nor the clients file.
  const unused = { keys: 'file:unused', clientsFile: undefined, eventsSink: 'none' };
  const opened = await openPorts({ ...config, ...unused }, { logger, clock, stopping });
  const ports = { ...opened, dependencies: [...opened.dependencies, dependency] };
  const lifecycle = createLifecycle({ logger, clock });
  try {
    // A resource can be deleted while the database is away, so the operator starts without it.
    await awaitCurrentSchema(ports.schema, { logger, stopping }).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
      logger.warn({ err: error }, 'database not reached at the start, resources wait');
    });
    for (const part of ports.dependencies) lifecycle.add({ name: part.name, stop: () => part.close() });
    const tracing = await startTracing({ environment: processEnvironment(), version, clock, logger });
    if (tracing) lifecycle.add({ name: 'traces', stop: () => tracing.stop(), stopSeconds: 5 });
    const { operations, component } = composeOperator({
      config,
      accessModel,
      ports,
      clock,
      logger,
      tracing,
      metrics,
      kubernetes,
      leases,
      namespaces,
      phase: () => lifecycle.phase(),
    });
    lifecycle.add(component);
    const { opsPort: port, opsHost, host, shutdownSeconds } = config;
    lifecycle.add(
      listening('operations listener', { app: operations, port, host: opsHost ?? host }, shutdownSeconds),
    );
    stopping.throwIfAborted();
  } catch (error) {
    await Promise.allSettled(ports.dependencies.map((part) => part.close()));
    throw error;
  }
  await lifecycle.start();
  const watched = namespaces ?? ['*'];
  logger.info(
    { opsPort: config.opsPort, namespaces: watched, version, node: process.versions.node },
    'gatehouse operator is ready',
  );
  return {
    stop: async () => {
      await lifecycle.stop();
    },
  };
}

import type Koa from 'koa';
import { createOperationsApp } from '../http/health.ts';
import { createReadiness } from '../http/readiness.ts';
import type { ComposeDeps } from './compose-deps.ts';
import { version } from './version.ts';

/**
 * Assembles the operations listener's application, for every kind of process.
 *
 * @param measure updates the metrics that are measured only when they are requested
 */
export function composeOperations(
  {
    config,
    ports,
    clock,
    logger,
    metrics,
    phase,
  }: Pick<ComposeDeps, 'config' | 'ports' | 'clock' | 'logger' | 'metrics' | 'phase'>,
  measure: () => Promise<void>,
): Koa {
  return createOperationsApp({
    version,
    readiness: createReadiness({
      dependencies: ports.dependencies,
      clock,
      logger,
      metrics,
      blipSeconds: config.readinessBlipSeconds,
    }),
    phase,
    metrics: async () => {
      metrics.secretsOutdated.set(ports.secrets.outdated());
      await measure();
      return metrics.render();
    },
  });
}

import { openWorkerPorts } from '../compose/adapters.ts';
import { isMailOn } from '../compose/compose-mails.ts';
import { composeWorker } from '../compose/compose-worker.ts';
import { version } from '../compose/version.ts';
import { loadConfig, processEnvironment } from '../config/load.ts';
import type { SettingName } from '../config/schema.ts';
import { openServerSecrets } from '../keys/server-secrets.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { createLifecycle } from '../lib/lifecycle.ts';
import { createLogger } from '../lib/logger.ts';
import { createMetrics } from '../lib/metrics.ts';
import { startTracing } from '../lib/start-tracing.ts';
import { awaitCurrentSchema } from './commands/migrate-schema.ts';
import { listening } from './listening.ts';
import { serverSecretsReader } from './resolve-server-secrets.ts';
import type { Running } from './start.ts';

/**
 * `gatehouse worker`: does the jobs without answering requests. It needs the database, the sink of events, the signing
 * keys for logout tokens, and for mails the server secrets and the settings of the pages. Any number may run: one does the
 * jobs, and another takes over when it ends. Rejects when `stopping` is aborted before the start is complete.
 */
export async function worker(stopping: AbortSignal): Promise<Running> {
  const config = loadConfig({ required: requiredSettings() });
  const logger = createLogger({ level: config.logLevel });
  const ports = await openWorkerPorts(config, { logger, clock, stopping });
  const lifecycle = createLifecycle({ logger, clock });
  try {
    const mail = isMailOn(config)
      ? {
          // Loaded only where it is used: a worker has no other pages.
          renderer: (await import('../compose/open-pages.ts')).openPages(config).mails,
          serverSecrets: await openServerSecrets({
            read: serverSecretsReader(config, ports.secrets),
            clock,
            logger,
          }),
        }
      : undefined;
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
      mail,
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

/**
 * A worker with signing keys signs logout tokens, and these name the issuer. One that sends mails opens their content with the
 * server secrets, and links in mails begin with the issuer.
 */
function requiredSettings(): SettingName[] {
  const has = (name: string) => [name, `${name}_FILE`].some((one) => processEnvironment()[one]);
  const sendsMails = has('GATEHOUSE_MAIL') && processEnvironment().GATEHOUSE_MAIL !== 'off';
  const names: SettingName[] = ['GATEHOUSE_DATABASE_URL'];
  if (has('GATEHOUSE_KEYS') || sendsMails) names.push('GATEHOUSE_ISSUER');
  if (sendsMails) names.push('GATEHOUSE_SERVER_SECRETS');
  return names;
}

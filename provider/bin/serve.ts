import { openPorts } from '../compose/adapters.ts';
import type { Gatehouse } from '../compose/compose.ts';
import { loadAccessModel } from '../config/apis.ts';
import { loadConfig } from '../config/load.ts';
import { requiredToServe } from '../config/schema.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/logger.ts';
import { awaitCurrentSchema } from './commands/migrate-schema.ts';
import { loadFiles } from './load-files.ts';
import { serverSecretsReader } from './resolve-server-secrets.ts';
import { type Running, start } from './start.ts';

/**
 * `gatehouse serve`: starts on real servers with a complete configuration. Rejects when `stopping` is aborted before
 * the start is complete.
 */
export async function serve(stopping: AbortSignal): Promise<Running> {
  const config = loadConfig({ required: requiredToServe });
  const files = loadFiles(config, () => loadAccessModel(config));
  const logger = createLogger({ level: config.logLevel });
  const ports = await openPorts(config, { logger, clock: systemClock, stopping });
  try {
    await awaitCurrentSchema(ports.schema, { logger, stopping });
    const readServerSecrets = serverSecretsReader(config, ports.secrets);
    const prepare = (gatehouse: Gatehouse) => gatehouse.checkOutgoingGuard();
    return await start({ config, ...files, ports, readServerSecrets, logger, stopping, prepare });
  } catch (error) {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
    throw error;
  }
}

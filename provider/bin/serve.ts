import { openPorts } from '../compose/adapters.ts';
import { loadFiles } from '../compose/load-files.ts';
import { loadAccessModel } from '../config/apis.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { parseServerSecrets } from '../config/server-secrets.ts';
import { systemClock } from '../lib/clock.ts';
import { ConfigurationError } from '../lib/errors.ts';
import { createLogger } from '../lib/logger.ts';
import type { Schema } from '../ports/schema.ts';
import { type Running, start } from './start.ts';

const required = ['GATEHOUSE_DATABASE_URL', 'GATEHOUSE_KEYS', 'GATEHOUSE_SERVER_SECRETS'] as const;

/** `gatehouse serve`: on real servers, configured in full. Rejects when `stopping` is aborted before it has started. */
export async function serve(stopping: AbortSignal): Promise<Running> {
  const config = loadConfig({ required });
  const files = loadFiles(config, () => loadAccessModel(config));
  const logger = createLogger({ level: config.logLevel });
  const ports = await openPorts(config, { logger, clock: systemClock });
  try {
    await refuseOldSchema(ports.schema);
    const serverSecrets = parseServerSecrets(await ports.secrets.resolve(config.serverSecrets ?? ''));
    return await start({ config, ...files, ports, serverSecrets, logger, stopping });
  } catch (error) {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
    throw error;
  }
}

async function refuseOldSchema(schema: Schema): Promise<void> {
  const pending = await schema.pending();
  if (pending.length === 0) return;
  throw new ConfigurationError([
    `The database lacks what this release needs (${pending.join(', ')}). Run: gatehouse migrate`,
  ]);
}

/** Refuses an issuer that others could reach: demo data must never be exposed. */
export function refuseRemoteIssuer(config: Config): void {
  const { hostname } = new URL(config.issuer);
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return;
  throw new ConfigurationError([
    `gatehouse dev has demo data, so its issuer must be on this machine, not ${hostname}. Use gatehouse serve, or unset GATEHOUSE_ISSUER.`,
  ]);
}

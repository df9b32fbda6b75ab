import { openPorts } from '../compose/adapters.ts';
import type { Gatehouse } from '../compose/compose.ts';
import type { Ports } from '../compose/ports.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/logger.ts';
import {
  demoAccount,
  demoBanner,
  demoClientSource,
  demoDefaultClient,
  devAccessModel,
  refuseRemoteIssuer,
} from './demo.ts';
import { loadFiles } from './load-files.ts';
import { serverSecretsReader } from './resolve-server-secrets.ts';
import { type Running, start } from './start.ts';

/**
 * `gatehouse dev`: starts with demo data and an issuer on this machine. It needs only Node. It uses real servers where
 * the settings name them. Rejects when `stopping` is aborted before the start is complete.
 */
export async function dev(write: (text: string) => void, stopping: AbortSignal): Promise<Running> {
  const config = withDevDefaults(loadConfig());
  refuseRemoteIssuer(config);
  const files = loadFiles(config, () => devAccessModel(config));
  const logger = createLogger({ level: config.logLevel });
  const ports = await openPorts(config, { logger, clock: systemClock, stopping });
  try {
    stopping.throwIfAborted();
    await ports.schema.migrate();
    const running = await start({
      config,
      ...files,
      ports: withDemoClients(ports, config),
      readServerSecrets: serverSecretsReader(config, ports.secrets),
      logger,
      prepare: addDemoAccount,
      stopping,
    });
    write(demoBanner(config));
    return running;
  } catch (error) {
    await Promise.allSettled(ports.dependencies.map((dependency) => dependency.close()));
    throw error;
  }
}

/** Listens on this machine only, stops without delay, allows sign-up, writes mails into a folder, and lets `/auth/*` act for the demo client. */
function withDevDefaults(config: Config): Config {
  const host = config.host ?? '127.0.0.1';
  return {
    ...config,
    host,
    opsHost: config.opsHost ?? host,
    signup: true,
    // The roles of the demo model; a file of one's own may have other names.
    signupRoles: config.signupRoles ?? (config.apisFile ? undefined : demoAccount.roles),
    shutdownDelaySeconds: 0,
    mail: config.mail ?? { kind: 'folder' },
    defaultClient: config.defaultClient ?? (config.clientsFile ? undefined : demoDefaultClient),
  };
}

/** Without a clients file, the demo clients are registered, beside those of the store. */
function withDemoClients(ports: Ports, config: Config): Ports {
  if (config.clientsFile) return ports;
  return { ...ports, clientSources: [...ports.clientSources, demoClientSource(config.audience)] };
}

/** Does nothing when the account exists. */
async function addDemoAccount({ accounts }: Gatehouse): Promise<void> {
  await accounts.create({ ...demoAccount, emailVerified: true, metadata: { name: 'John Example' } });
}

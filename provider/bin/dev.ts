import { openPorts, type Ports } from '../compose/adapters.ts';
import type { Gatehouse } from '../compose/compose.ts';
import { loadFiles } from '../compose/load-files.ts';
import { resolveServerSecrets } from '../compose/server-secrets.ts';
import { loadAccessModel } from '../config/apis.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/logger.ts';
import type { ClientSource } from '../ports/client-source.ts';
import { demoAccessModel, demoAccount, demoBanner, demoClients, demoDefaultClient } from './demo.ts';
import { refuseRemoteIssuer } from './serve.ts';
import { type Running, start } from './start.ts';

/** `gatehouse dev`: nothing but Node needed, demo data, an issuer on this machine. Real servers are used where settings name them. Rejects when `stopping` is aborted before it has started. */
export async function dev(write: (text: string) => void, stopping: AbortSignal): Promise<Running> {
  const config = withDevDefaults(loadConfig());
  refuseRemoteIssuer(config);
  const files = loadFiles(config, () =>
    config.apisFile ? loadAccessModel(config) : demoAccessModel(config.audience),
  );
  const logger = createLogger({ level: config.logLevel });
  const ports = await openPorts(config, { logger, clock: systemClock });
  try {
    stopping.throwIfAborted();
    await ports.schema.migrate();
    const running = await start({
      config,
      ...files,
      ports: withDemoClients(ports, config),
      serverSecrets: await resolveServerSecrets(config, ports.secrets),
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

/** On this machine only, stopping at once, people may sign up, `/auth/*` for the demo client. */
function withDevDefaults(config: Config): Config {
  const host = config.host ?? '127.0.0.1';
  return {
    ...config,
    host,
    opsHost: config.opsHost ?? host,
    signup: true,
    shutdownDelaySeconds: 0,
    defaultClient: config.defaultClient ?? (config.clientsFile ? undefined : demoDefaultClient),
  };
}

/** A clients file of one's own takes the demo clients' place. */
function withDemoClients(ports: Ports, config: Config): Ports {
  if (config.clientsFile) return ports;
  const documents = demoClients(config.audience).map((value) => ({ origin: 'demo', value }));
  const demo: ClientSource = { name: 'demo', load: async () => documents, watch: () => () => {} };
  return { ...ports, clientSources: [demo] };
}

/** Does nothing when it is there already. */
async function addDemoAccount({ accounts }: Gatehouse): Promise<void> {
  await accounts.create({ ...demoAccount, emailVerified: true, metadata: { name: 'John Example' } });
}

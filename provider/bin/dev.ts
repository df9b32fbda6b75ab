import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAccessModel } from '../config/apis.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { parseServerSecrets } from '../config/server-secrets.ts';
import { systemClock } from '../lib/clock.ts';
import { randomToken } from '../lib/ids.ts';
import { createLogger } from '../lib/logger.ts';
import type { ClientSource } from '../ports/client-source.ts';
import { openPorts, type Ports } from './adapters.ts';
import type { Gatehouse } from './compose.ts';
import { demoAccessModel, demoAccount, demoBanner, demoClients, demoDefaultClient } from './demo.ts';
import { refuseRemoteIssuer } from './serve.ts';
import { type Running, start } from './start.ts';

/** `gatehouse dev`: nothing but Node needed, demo data, an issuer on this machine. Real servers are used where settings name them. */
export async function dev(write: (text: string) => void): Promise<Running> {
  const config = withDevDefaults(loadConfig());
  refuseRemoteIssuer(config);
  const accessModel = config.apisFile ? loadAccessModel(config) : demoAccessModel(config.audience);
  const logger = createLogger({ level: config.logLevel });
  const ports = await openPorts(config, { logger, clock: systemClock });
  try {
    await ports.schema.migrate();
    const running = await start({
      config,
      accessModel,
      ports: withDemoClients(ports, config),
      serverSecrets: parseServerSecrets(await ownSecret(config, ports)),
      logger,
      prepare: addDemoAccount,
    });
    write(demoBanner(config.issuer));
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

/** Made once and kept in the data folder, so that cookies outlive a restart. */
async function ownSecret(config: Config, ports: Ports): Promise<string> {
  if (config.serverSecrets) return ports.secrets.resolve(config.serverSecrets);
  const path = join(config.dataFolder, 'server-secret');
  await mkdir(config.dataFolder, { recursive: true, mode: 0o700 });
  await writeFile(path, randomToken(32), { flag: 'wx', mode: 0o600 }).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
  return readFile(path, 'utf8');
}

/** Does nothing when it is there already. */
async function addDemoAccount({ accounts }: Gatehouse): Promise<void> {
  await accounts.create({ ...demoAccount, emailVerified: true, metadata: { name: 'John Example' } });
}

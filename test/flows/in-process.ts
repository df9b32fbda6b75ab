import '../../provider/oidc/runtime-notice.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { stringify } from 'yaml';
import { demoAccessModel, demoAccount, demoClients, demoDefaultClient } from '../../provider/bin/demo.ts';
import { start } from '../../provider/bin/start.ts';
import { openPorts, type Ports } from '../../provider/compose/adapters.ts';
import { openPages } from '../../provider/compose/open-pages.ts';
import { loadConfig } from '../../provider/config/load.ts';
import { systemClock as clock } from '../../provider/lib/clock.ts';
import { createLogger } from '../../provider/lib/logger.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { noticeChanges } from '../../provider/revocation/change-notices.ts';
import { createTestDatabase } from '../support/databases.ts';
import type { Deployment } from '../support/deployment.ts';
import { freePort } from '../support/free-port.ts';

export interface InProcess extends Deployment {
  /** Its own stores, for what has no door. */
  ports: Ports;
  /** Changes in them, as another process makes them. */
  unitOfWork: UnitOfWork;
  /** Moves the time on, for us and for the library, which asks `Date`. */
  advance(seconds: number): void;
}

/** Everything that isn't the date goes on as it does: timers, sockets, promises. */
const untouched = [
  ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
  ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
];

/** The whole program inside the test, on Postgres, for what takes days: here the time can be moved. */
export async function startInProcess(
  clients: unknown[],
  settings: Record<string, string> = {},
): Promise<InProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  const database = await createTestDatabase();
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const env = {
    GATEHOUSE_ISSUER: issuer,
    GATEHOUSE_PORT: String(port),
    GATEHOUSE_HOST: '127.0.0.1',
    GATEHOUSE_OPS_PORT: '0',
    GATEHOUSE_OPS_HOST: '127.0.0.1',
    GATEHOUSE_DATABASE_URL: database.url,
    GATEHOUSE_CLIENTS_FILE: join(folder, 'clients.yaml'),
    GATEHOUSE_KEYS: `file:${join(folder, 'keys.json')}`,
    GATEHOUSE_DEFAULT_CLIENT: demoDefaultClient,
    GATEHOUSE_EVENTS_SINK: 'none',
    GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '0',
    ...settings,
  };
  const config = loadConfig({ env });
  const { audience } = config;
  await writeFile(env.GATEHOUSE_CLIENTS_FILE, stringify({ clients: [...demoClients(audience), ...clients] }));
  const logger = createLogger({ level: 'error' });
  const ports = await openPorts(config, { clock, logger });
  await ports.schema.migrate();
  jest.useFakeTimers({ now: Date.now(), doNotFake: untouched });
  const running = await start({
    config,
    ports,
    clock,
    logger,
    accessModel: demoAccessModel(audience),
    pages: openPages(config),
    serverSecrets: ['for-tests-only-'.repeat(4)],
    prepare: async ({ accounts }) => {
      await accounts.create({ ...demoAccount, emailVerified: true, metadata: {} });
    },
  });
  const origin = `http://127.0.0.1:${port}`;
  return {
    name: 'in this process',
    issuer,
    audience,
    origins: [origin],
    opsOrigins: [],
    programs: [],
    folder,
    env,
    ports,
    databaseUrl: database.url,
    fetch: (input, init) => fetch(String(input).replace(issuer, origin), { ...init, redirect: 'manual' }),
    unitOfWork: noticeChanges(ports.unitOfWork, { clock, denylist: { cacheEntries: async () => {} } }),
    advance: (seconds) => jest.setSystemTime(Date.now() + seconds * 1000),
    stop: async () => {
      await running.stop();
      jest.useRealTimers();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

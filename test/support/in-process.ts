import '../../provider/oidc/runtime-notice.ts';
import { jest } from '@jest/globals';
import { demoAccessModel, demoAccount } from '../../provider/bin/demo.ts';
import { start } from '../../provider/bin/start.ts';
import { openPorts } from '../../provider/compose/adapters.ts';
import { openPages } from '../../provider/compose/open-pages.ts';
import type { Ports } from '../../provider/compose/ports.ts';
import type { AccessModel } from '../../provider/config/access-model.ts';
import { loadConfig } from '../../provider/config/load.ts';
import { systemClock as clock } from '../../provider/lib/clock.ts';
import { createLogger } from '../../provider/lib/logger.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { noticeChanges } from '../../provider/revocation/change-notices.ts';
import { createTestDatabase } from './databases.ts';
import type { Deployment } from './deployment.ts';
import { createDeploymentFolder } from './deployment-folder.ts';
import { testServerSecret } from './secrets.ts';

export interface InProcess extends Deployment {
  /** Its stores, for changes that no endpoint makes. */
  ports: Ports;
  /** Changes the stores as another process does. */
  unitOfWork: UnitOfWork;
  /** Advances the time of the program and of the protocol library, which reads `Date`. */
  advance(seconds: number): void;
}

/** What fake timers leave alone: only the date is faked. */
const notFaked = [
  ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
  ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
];

/** Runs the program inside the test, on Postgres. Here a test can move the time, for what takes minutes or days. */
export async function startInProcess(
  clients: unknown[],
  settings: Record<string, string> = {},
  claims: AccessModel['claims'] = [],
): Promise<InProcess> {
  const base = await createDeploymentFolder({ clients });
  const { folder, issuer, audience } = base;
  const database = await createTestDatabase();
  const env = {
    ...base.env,
    GATEHOUSE_PORT: String(base.port),
    GATEHOUSE_OPS_PORT: '0',
    GATEHOUSE_DATABASE_URL: database.url,
    GATEHOUSE_EVENTS_SINK: 'none',
    ...settings,
  };
  const config = loadConfig({ env });
  const logger = createLogger({ level: 'error' });
  const ports = await openPorts(config, { clock, logger });
  await ports.schema.migrate();
  jest.useFakeTimers({ now: Date.now(), doNotFake: notFaked });
  const running = await start({
    config,
    ports,
    clock,
    logger,
    accessModel: { ...demoAccessModel(audience), claims },
    pages: openPages(config),
    readServerSecrets: async () => [testServerSecret],
    prepare: async ({ accounts }) => {
      await accounts.create({ ...demoAccount, emailVerified: true, metadata: {} });
    },
  });
  const origin = `http://127.0.0.1:${base.port}`;
  return {
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
      await base.remove();
    },
  };
}

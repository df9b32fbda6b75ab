import { startDockerPostgres, startLocalPostgres } from './postgres.ts';
import { canInstallPackages, dockerWorks, installPackages } from './programs.ts';
import { startDockerRedis, startLocalRedis } from './redis.ts';
import type { TestServer } from './server.ts';

interface Wanted {
  /** The variable that names a server to use as it is. */
  given: string;
  /** The variable that tells tests its URL. */
  told: string;
  debianPackage: string;
  local(): Promise<TestServer | undefined>;
  docker(): Promise<TestServer>;
}

const wanted: Wanted[] = [
  {
    given: 'DATABASE_URL',
    told: 'GATEHOUSE_TEST_DATABASE_URL',
    debianPackage: 'postgresql',
    local: startLocalPostgres,
    docker: startDockerPostgres,
  },
  {
    given: 'REDIS_URL',
    told: 'GATEHOUSE_TEST_REDIS_URL',
    debianPackage: 'redis-server',
    local: () => startLocalRedis('single'),
    docker: () => startDockerRedis('single'),
  },
  {
    given: 'REDIS_CLUSTER_URL',
    told: 'GATEHOUSE_TEST_REDIS_CLUSTER_URL',
    debianPackage: 'redis-server',
    local: () => startLocalRedis('cluster'),
    docker: () => startDockerRedis('cluster'),
  },
];

/**
 * Provides Postgres, Redis and a Redis cluster, in this order of preference: the URL given, a program on this
 * machine, Docker, Debian's packages. Puts the URLs into the environment, for the tests; gives what stops them.
 */
export async function provideServers(): Promise<() => Promise<void>> {
  const started: TestServer[] = [];
  const stop = async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()));
  };
  const outcomes = await Promise.allSettled(
    wanted.map(async (server) => {
      process.env[server.told] = process.env[server.given] || (await startOne(server, started));
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return stop;
  await stop();
  throw failed.reason;
}

async function startOne(server: Wanted, started: TestServer[]): Promise<string> {
  const running = (await server.local()) ?? (await elsewhere(server));
  started.push(running);
  return running.url;
}

/** One at a time: apt-get has a lock, and two of these servers come from one package. */
let queue: Promise<unknown> = Promise.resolve();

function elsewhere(server: Wanted): Promise<TestServer> {
  const next = queue.then(async () => {
    if (await dockerWorks()) return server.docker();
    const running = await installed(server);
    if (running !== undefined) return running;
    throw new Error(
      `The tests found no server: set ${server.given}, install ${server.debianPackage}, or start Docker.`,
    );
  });
  queue = next.catch(() => {});
  return next;
}

async function installed(server: Wanted): Promise<TestServer | undefined> {
  if (!canInstallPackages()) return undefined;
  // The one before in the queue may have brought the package.
  return (await server.local()) ?? installPackages([server.debianPackage]).then(server.local);
}

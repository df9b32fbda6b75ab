import { startDockerPostgres, startLocalPostgres } from './postgres.ts';
import { canInstallPackages, dockerWorks, installPackages } from './programs.ts';
import { startDockerRedis, startLocalRedis } from './redis.ts';
import type { TestServer } from './server.ts';

interface Wanted {
  /** The environment variable with the URL of an existing server to use. */
  given: string;
  /** The environment variable that gives the tests the server's URL. */
  told: string;
  debianPackage: string;
  local(): Promise<TestServer | undefined>;
  docker(): Promise<TestServer>;
}

const postgres: Wanted = {
  given: 'DATABASE_URL',
  told: 'GATEHOUSE_TEST_DATABASE_URL',
  debianPackage: 'postgresql',
  local: startLocalPostgres,
  docker: startDockerPostgres,
};

const wanted: Wanted[] = [
  postgres,
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
 * Provides Postgres, Redis and a Redis cluster, in this order of preference: the given URL, a program on this machine,
 * Docker, Debian's packages. Sets the URLs in the environment for the tests. Returns a function that stops the servers.
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

/** Starts a Postgres of its own, from a program on this machine, Docker or Debian's package. */
export const startPostgres = async (): Promise<TestServer> =>
  (await postgres.local()) ?? (await elsewhere(postgres));

async function startOne(server: Wanted, started: TestServer[]): Promise<string> {
  const running = (await server.local()) ?? (await elsewhere(server));
  started.push(running);
  return running.url;
}

/** Installs run one at a time because apt-get takes a lock, and two servers come from one package. */
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
  // The previous install in the queue may have installed the package.
  return (await server.local()) ?? installPackages([server.debianPackage]).then(server.local);
}

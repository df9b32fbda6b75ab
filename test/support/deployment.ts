import { demoAccount, demoDefaultClient } from '../../provider/bin/demo.ts';
import { createTestDatabase } from './databases.ts';
import { createDeploymentFolder, type FolderOptions } from './deployment-folder.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { type Program, runToEnd } from './program.ts';
import { testRedisUrl, uniquePrefix } from './redis.ts';

/** A running Gatehouse of one or more processes, as its users reach it. */
export interface Deployment {
  issuer: string;
  audience: string;
  /** Each process's own address. */
  origins: string[];
  opsOrigins: string[];
  /** Like `fetch`, for URLs of the issuer; each call goes to the next process. Never follows redirects. */
  fetch(url: string | URL | Request, init?: RequestInit): Promise<Response>;
  programs: Program[];
  /** The folder with its files: clients.yaml, apis.yaml, the data folder. */
  folder: string;
  env: Record<string, string>;
  databaseUrl?: string | undefined;
  /** The prefix of its keys in Redis, if it uses Redis. */
  redisPrefix?: string | undefined;
  stop(): Promise<void>;
}

/** A deployment whose processes are separate from the test. */
export interface FleetDeployment extends Deployment, Fleet {}

/** The demo account and clients, on every kind of deployment. */
export const demo = { ...demoAccount, firstPartyClient: demoDefaultClient };

export interface DeploymentOptions extends FolderOptions {
  /** With GATEHOUSE_DATABASE_URL, the deployment uses that database. Otherwise it has one of its own. */
  env?: Record<string, string>;
  /** The default is two processes. The embedded default always has one. */
  processes?: number;
  /** Whether Redis holds sessions, codes and refresh tokens. The default is true. */
  redis?: boolean;
  /** The folder of another compiled release. */
  build?: string | undefined;
}

/** The embedded default, as `gatehouse dev` starts it. */
export async function startEmbedded(options: DeploymentOptions = {}): Promise<FleetDeployment> {
  const base = await createDeploymentFolder(options);
  const withoutClients: Record<string, string> = options.clients ? {} : { GATEHOUSE_CLIENTS_FILE: '' };
  const env = { ...base.env, ...options.env, ...withoutClients };
  return start({ ...base, env }, 'dev', 1, base.remove);
}

/** Starts `gatehouse serve` on real Postgres and Redis, with one issuer. */
export async function startServers(options: DeploymentOptions = {}): Promise<FleetDeployment> {
  const base = await createDeploymentFolder(options);
  const { folder: cwd } = base;
  const { build } = options;
  const own = options.env?.GATEHOUSE_DATABASE_URL ? undefined : await createTestDatabase();
  const databaseUrl = own?.url ?? options.env?.GATEHOUSE_DATABASE_URL ?? '';
  const redisPrefix = options.redis === false ? undefined : uniquePrefix();
  const redis: Record<string, string> =
    redisPrefix === undefined
      ? {}
      : { GATEHOUSE_REDIS_URL: testRedisUrl(), GATEHOUSE_REDIS_KEY_PREFIX: redisPrefix };
  const env = { ...base.env, ...redis, GATEHOUSE_DATABASE_URL: databaseUrl, ...options.env };
  const remove = async () => {
    await own?.drop();
    await base.remove();
  };
  try {
    await runToEnd(['migrate'], { env, cwd, build });
    const { email, password, roles } = demo;
    const create = ['accounts', 'create', '--email', email, '--verified', '--role', ...roles];
    await runToEnd(create, { env, cwd, build, input: password });
  } catch (error) {
    await remove();
    throw error;
  }
  const deployment = await start({ ...base, env, build }, 'serve', options.processes ?? 2, remove);
  return Object.assign(deployment, { databaseUrl, redisPrefix });
}

interface Prepared {
  folder: string;
  issuer: string;
  audience: string;
  port: number;
  env: Record<string, string>;
  build?: string | undefined;
}

async function start(
  { folder, issuer, audience, port, env, build }: Prepared,
  command: 'serve' | 'dev',
  processes: number,
  remove: () => Promise<void>,
): Promise<FleetDeployment> {
  const fleet = await startFleet({ command, env, folder, processes, port, build }).catch(async (error) => {
    await remove();
    throw error;
  });
  const stop = async () => {
    await fleet.stop();
    await remove();
  };
  const fetch = roundRobin(issuer, fleet.origins);
  return { ...fleet, issuer, audience: env.GATEHOUSE_AUDIENCE ?? audience, fetch, folder, env, stop };
}

function roundRobin(issuer: string, origins: string[]): Deployment['fetch'] {
  let turn = 0;
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.origin !== new URL(issuer).origin)
      throw new Error(`${url.origin} is not the origin of ${issuer}`);
    const origin = origins[turn++ % origins.length];
    const body = request.method === 'GET' || request.method === 'HEAD' ? null : await request.arrayBuffer();
    return fetch(`${origin}${url.pathname}${url.search}`, {
      method: request.method,
      headers: request.headers,
      body,
      redirect: 'manual',
    });
  };
}

/** The same deployment through one of its processes alone. */
export function oneProcess(deployment: Deployment, index: number): Deployment {
  const origins = [deployment.origins[index] ?? ''];
  const opsOrigins = [deployment.opsOrigins[index] ?? ''];
  return { ...deployment, origins, opsOrigins, fetch: roundRobin(deployment.issuer, origins) };
}

/** A kind of deployment that tests run on. */
export interface DeploymentKind {
  name: string;
  start(options?: DeploymentOptions): Promise<FleetDeployment>;
}

const embedded: DeploymentKind = { name: 'the embedded default', start: startEmbedded };

/** The deployments that the same tests run on: the embedded default, and two processes on real servers. */
export const deployments: DeploymentKind[] = [
  embedded,
  { name: 'Postgres and Redis, two processes', start: startServers },
];

/** Both places where sessions, codes and refresh tokens can be stored. */
export const eachStore: DeploymentKind[] = [
  { name: 'Postgres alone', start: (options) => startServers({ ...options, redis: false }) },
  { name: 'Postgres and Redis', start: startServers },
];

/** For what may happen only once: on either store, among processes that share nothing else. */
export const threeProcesses: DeploymentKind[] = eachStore.map((kind) => ({
  name: `${kind.name}, three processes`,
  start: (options) => kind.start({ ...options, processes: 3 }),
}));

export const embeddedAndThreeProcesses: DeploymentKind[] = [embedded, ...threeProcesses];

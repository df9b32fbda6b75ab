import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { demoAccessModel, demoAccount, demoClients, demoDefaultClient } from '../../provider/bin/demo.ts';
import type { AccessModel } from '../../provider/config/access-model.ts';
import { createTestDatabase } from './databases.ts';
import { freePort } from './free-port.ts';
import { type Program, runProgram, runToEnd } from './program.ts';
import { testRedisUrl, uniquePrefix } from './redis.ts';
import { waitFor } from './wait-for.ts';

/** A running Gatehouse of one or more processes, as its users reach it. */
export interface Deployment {
  name: string;
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
  redisPrefix?: string | undefined;
  stop(): Promise<void>;
}

/** The demo account and clients, on every kind of deployment. */
export const demo = { ...demoAccount, firstPartyClient: demoDefaultClient };

export interface DeploymentOptions {
  env?: Record<string, string>;
  /** More clients, beside the demo ones. */
  clients?: unknown[];
  /** Returns the APIs and roles for the default API's audience. The default is the demo's APIs and roles. */
  accessModel?: (audience: string) => AccessModel;
  processes?: number;
  /** The store that holds sessions, codes and refresh tokens. */
  redis?: boolean;
}

/** The embedded default, as `gatehouse dev` starts it. */
export async function startEmbedded(options: DeploymentOptions = {}): Promise<Deployment> {
  const base = await prepare(options);
  const env = { ...base.env, ...base.ports(base.port, await freePort()), ...options.env };
  const extra: Record<string, string> = options.clients ? {} : { GATEHOUSE_CLIENTS_FILE: '' };
  const processEnv = { ...env, ...extra };
  const program = runProgram(['dev'], { env: processEnv, cwd: base.folder });
  return running({ ...base, name: 'embedded', env: processEnv, programs: [program], close: async () => {} });
}

/** Starts `gatehouse serve` on real Postgres and Redis, with one issuer. The default is two processes. */
export async function startServers(options: DeploymentOptions = {}): Promise<Deployment> {
  const base = await prepare(options);
  const database = await createTestDatabase();
  const redisPrefix = uniquePrefix();
  const redis: Record<string, string> =
    options.redis === false
      ? {}
      : { GATEHOUSE_REDIS_URL: testRedisUrl(), GATEHOUSE_REDIS_KEY_PREFIX: redisPrefix };
  const env = { ...base.env, ...redis, GATEHOUSE_DATABASE_URL: database.url, ...options.env };
  const cwd = base.folder;
  await runToEnd(['migrate'], { env, cwd });
  const { email, password, roles } = demo;
  const create = ['accounts', 'create', '--email', email, '--verified', '--role', ...roles];
  await runToEnd(create, { env, cwd, input: password });
  const programs: Program[] = [];
  const origins: string[] = [];
  const opsOrigins: string[] = [];
  for (let index = 0; index < (options.processes ?? 2); index += 1) {
    const port = index === 0 ? base.port : await freePort();
    const opsPort = await freePort();
    programs.push(runProgram(['serve'], { env: { ...env, ...base.ports(port, opsPort) }, cwd }));
    origins.push(`http://127.0.0.1:${port}`);
    opsOrigins.push(`http://127.0.0.1:${opsPort}`);
  }
  const name = options.redis === false ? 'postgres' : 'postgres and redis';
  const close = () => database.drop();
  return running({
    ...base,
    name,
    env,
    programs,
    origins,
    opsOrigins,
    close,
    databaseUrl: database.url,
    redisPrefix,
  });
}

interface Prepared {
  folder: string;
  port: number;
  issuer: string;
  env: Record<string, string>;
  ports(port: number, opsPort: number): Record<string, string>;
}

async function prepare({
  clients = [],
  accessModel = demoAccessModel,
}: DeploymentOptions): Promise<Prepared> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const audience = `${issuer}/api`;
  await writeFile(
    join(folder, 'clients.yaml'),
    stringify({ clients: [...demoClients(audience), ...clients] }),
  );
  await writeFile(join(folder, 'apis.yaml'), stringify(apisFile(accessModel(audience))));
  await writeFile(join(folder, 'server-secrets'), 'for-tests-only-'.repeat(4));
  const env = {
    GATEHOUSE_ISSUER: issuer,
    GATEHOUSE_CLIENTS_FILE: join(folder, 'clients.yaml'),
    GATEHOUSE_APIS_FILE: join(folder, 'apis.yaml'),
    GATEHOUSE_DEFAULT_CLIENT: demoDefaultClient,
    GATEHOUSE_KEYS: `file:${join(folder, 'keys.json')}`,
    GATEHOUSE_SERVER_SECRETS: `file:${join(folder, 'server-secrets')}`,
    GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '0',
    GATEHOUSE_HOST: '127.0.0.1',
    GATEHOUSE_OPS_HOST: '127.0.0.1',
    GATEHOUSE_SIGNUP: 'true',
  };
  const ports = (own: number, ops: number) => ({
    GATEHOUSE_PORT: String(own),
    GATEHOUSE_OPS_PORT: String(ops),
  });
  return { folder, port, issuer, env, ports };
}

function apisFile(model: AccessModel) {
  const apis = model.apis.map(({ scopes, ...api }) => ({
    ...api,
    scopes: Object.fromEntries(scopes.map(({ name, ...scope }) => [name, scope])),
  }));
  return { apis, roles: { ...model.roles } };
}

interface Started extends Omit<Prepared, 'ports'> {
  name: string;
  programs: Program[];
  origins?: string[];
  opsOrigins?: string[];
  databaseUrl?: string;
  redisPrefix?: string;
  close(): Promise<void>;
}

async function running(started: Started): Promise<Deployment> {
  const { programs, folder, issuer, env } = started;
  const origins = started.origins ?? [`http://127.0.0.1:${env.GATEHOUSE_PORT}`];
  const opsOrigins = started.opsOrigins ?? [`http://127.0.0.1:${env.GATEHOUSE_OPS_PORT}`];
  const stop = async () => {
    for (const program of programs) if (!program.hasEnded()) program.kill('SIGTERM');
    await Promise.all(programs.map((program) => program.ended));
    await started.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(programs.map((program, index) => ready(program, opsOrigins[index] ?? '')));
  } catch (error) {
    await stop();
    throw error;
  }
  const audience = env.GATEHOUSE_AUDIENCE ?? `${issuer}/api`;
  return { ...started, origins, opsOrigins, audience, fetch: roundRobin(issuer, origins), stop };
}

async function ready(program: Program, opsOrigin: string): Promise<void> {
  await waitFor(
    async () => {
      if (program.hasEnded()) return true;
      const answer = await fetch(`${opsOrigin}/readyz`);
      await answer.arrayBuffer();
      return answer.ok;
    },
    { timeoutMs: 100_000, what: 'gatehouse to be ready' },
  ).catch((error) => {
    throw new Error(`${error.message} It wrote:\n${program.output()}`);
  });
  if (program.hasEnded()) throw new Error(`gatehouse ended before it was ready:\n${program.output()}`);
}

function roundRobin(issuer: string, origins: string[]): Deployment['fetch'] {
  let turn = 0;
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.origin !== issuer) throw new Error(`${url.origin} is not the issuer's origin ${issuer}`);
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

/** The deployments that the same tests run on: the embedded default, and two processes on real servers. */
export const deployments: { name: string; start(options?: DeploymentOptions): Promise<Deployment> }[] = [
  { name: 'the embedded default', start: startEmbedded },
  { name: 'Postgres and Redis, two processes', start: startServers },
];

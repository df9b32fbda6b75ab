import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import type { Program } from '../support/program.ts';
import { startWorker } from '../support/start-worker.ts';

jest.setTimeout(120_000);

let folder: string;
let deployment: Deployment;
const workers: Program[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-loaded-'));
  // With this variable, Node writes at the end of each process which scripts it loaded.
  deployment = await startServers({ processes: 1, env: { NODE_V8_COVERAGE: folder } });
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await deployment?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Ends the process and returns the files that it loaded, each once, below the folder of the package. */
async function filesLoadedBy(program: Program): Promise<string[]> {
  program.kill('SIGTERM');
  await program.ended;
  const names = await readdir(folder);
  const report = names.find((name) => name.startsWith(`coverage-${program.pid}-`));
  if (report === undefined) throw new Error(`process ${program.pid} did not report what it loaded`);
  const { result } = JSON.parse(await readFile(join(folder, report), 'utf8')) as {
    result: { url: string }[];
  };
  return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
}

/** The direct dependencies of Gatehouse in these files. `packages.json` says which packages the parts of the bundle have. */
async function dependenciesIn(files: readonly string[]): Promise<string[]> {
  const { dependencies } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  const bundle = join(process.env.GATEHOUSE_TEST_BUILD ?? '', 'parts', 'packages.json');
  const bundled = Object.entries<string[]>(JSON.parse(await readFile(bundle, 'utf8')));
  const inParts = bundled.flatMap(([part, names]) =>
    files.some((file) => file.endsWith(`/${part}`)) ? names : [],
  );
  return Object.keys(dependencies).filter(
    (name) => inParts.includes(name) || files.some((file) => file.includes(`/node_modules/${name}/`)),
  );
}

/** The dependencies that every worker loads: `fresh` comes with koa, and `@opentelemetry/api` with prom-client. */
const ofWorkers = [
  '@koa/router',
  '@opentelemetry/api',
  'commander',
  'fresh',
  'jose',
  'keygrip',
  'knex',
  'koa',
  'oidc-provider',
  'pg',
  'pino',
  'prom-client',
  'yaml',
  'zod',
];

/** Others are loaded by the command or the feature that needs them: each would make the start longer and take memory. */
const ofServers = [...ofWorkers, '@node-rs/argon2', 'eta', 'ioredis'].sort();

test('serve loads at its start only the packages that every server needs', async () => {
  const { issuer, programs } = deployment;
  expect((await deployment.fetch(`${issuer}/.well-known/openid-configuration`)).status).toBe(200);
  const files = await filesLoadedBy(programs[0] as Program);
  expect(await dependenciesIn(files)).toEqual(ofServers);
});

test('worker loads at its start only the packages that every worker needs', async () => {
  const worker = await startWorker(deployment, { without: ['GATEHOUSE_CLIENTS_FILE'], workers });
  expect(await dependenciesIn(await filesLoadedBy(worker))).toEqual(ofWorkers);
});

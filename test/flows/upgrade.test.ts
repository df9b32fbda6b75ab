import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresSchema } from '../../adapters/postgres/schema.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { type Fleet, isReady, startFleet } from '../support/fleet.ts';
import { buildLastRelease, type LastRelease } from '../support/last-release.ts';
import { runToEnd } from '../support/program.ts';
import { createRoutedTraffic, type RoutedTraffic } from '../support/routed-traffic.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(600_000);

let last: LastRelease | undefined;
let deployment: FleetDeployment;
let traffic: RoutedTraffic;
const fleets: Fleet[] = [];

beforeAll(async () => {
  last = await buildLastRelease();
  if (last === undefined) return;
  deployment = await startServers({ build: last.build });
  traffic = createRoutedTraffic(deployment);
});
afterAll(async () => {
  await traffic?.stop();
  await Promise.all(fleets.map((fleet) => fleet.stop()));
  await deployment?.stop();
  await last?.remove();
});

async function startMore(build?: string): Promise<Fleet> {
  const { env, folder } = deployment;
  const fleet = await startFleet({ command: 'serve', env, folder, processes: 2, build });
  fleets.push(fleet);
  return fleet;
}

async function pendingMigrations(): Promise<string[]> {
  const pool = openDatabase({ url: deployment.databaseUrl ?? '', poolMax: 1 });
  try {
    return await new PostgresSchema({ db: pool.knex }).pending();
  } finally {
    await pool.close();
  }
}

/** Starts this release before the migration. Nothing may go to it until it is ready. */
async function startBeforeMigration(): Promise<Fleet> {
  const pending = await pendingMigrations();
  const { env, folder } = deployment;
  const starting = startMore();
  if (pending.length > 0) {
    const early = { done: false };
    void starting.then(() => (early.done = true)).catch(() => {});
    await traffic.rounds(1);
    expect(early.done).toBe(false);
  }
  await runToEnd(['migrate'], { env, cwd: folder });
  return starting;
}

const expected = ['database lacks migrations of this release, waiting for: gatehouse migrate'];

/** The messages of log lines that ask for attention. */
const warningsOf = (output: string) =>
  output
    .split('\n')
    .filter((line) => /^\{"level":"(warn|error|fatal)"/.test(line))
    .map((line) => String(JSON.parse(line).msg))
    .filter((message) => !expected.includes(message) && !message.includes('past its support'));

test('an upgrade and the way back under traffic fail no request', async () => {
  if (last === undefined) {
    // A copy without history, such as a shallow clone, has no last release to compare with.
    process.stderr.write(
      'LEFT OUT: the upgrade from the last release. This copy of the repository has no history.\n',
    );
    return;
  }
  await traffic.rounds(2);

  const next = await startBeforeMigration();
  traffic.add(next.origins);
  await traffic.rounds(3);

  await traffic.remove(deployment.origins);
  for (const program of deployment.programs) program.kill('SIGTERM');
  await Promise.all(deployment.programs.map((program) => program.ended));
  await traffic.rounds(3);

  const back = await startMore(last.build);
  for (const origin of back.opsOrigins) await waitFor(() => isReady(origin));
  traffic.add(back.origins);
  await traffic.rounds(3);
  await traffic.remove(next.origins);
  await next.stop();
  await traffic.rounds(3);

  expect([...new Set(traffic.failures())]).toEqual([]);
  // Jobs in the background have no caller that would see a failure.
  const programs = [deployment, next, back].flatMap(({ started }) => started);
  const warnings = programs.flatMap((program) => warningsOf(program.output()));
  expect([...new Set(warnings)]).toEqual([]);
  expect(traffic.served(next.origins)).toBeGreaterThan(20);
  expect(traffic.served(back.origins)).toBeGreaterThan(20);
});

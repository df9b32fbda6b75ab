import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createEventBus, type EventBus } from '../adapters/aws/event-bus.ts';
import { demo, type FleetDeployment, startServers } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import type { Program } from '../support/program.ts';
import { type Moto, startMoto } from '../support/servers/moto.ts';
import { startWorker as startWorkerBeside } from '../support/start-worker.ts';
import { waitFor } from '../support/wait-for.ts';

let moto: Moto;
let bus: EventBus;
let deployment: FleetDeployment;
const workers: Program[] = [];

beforeAll(async () => {
  moto = await startMoto();
  bus = await createEventBus(moto);
  const sink = { GATEHOUSE_EVENTS_SINK: `eventbridge:${bus.name}`, ...moto.environment };
  deployment = await startServers({ env: { GATEHOUSE_JOBS: 'worker', ...sink } });
}, 300_000);
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await Promise.all(workers.map((worker) => worker.ended));
  await deployment?.stop();
  await moto?.stop();
});

/** A worker has the settings of the servers except those that it does not need. */
async function startWorker(): Promise<Program> {
  const without = ['GATEHOUSE_KEYS', 'GATEHOUSE_SERVER_SECRETS'];
  const worker = await startWorkerBeside(deployment, { without, workers });
  expect(worker.hasEnded() ? worker.output() : '').toBe('');
  return worker;
}

const leads = (worker: Program) => worker.output().includes('this process does the jobs now');
const logins = async () =>
  (await bus.delivered())
    .filter((event) => event['detail-type'] === 'user.login')
    .map(({ detail }) => detail);
const untilDelivered = (count: number) =>
  waitFor(async () => (await logins()).length >= count, {
    timeoutMs: 120_000,
    what: `${count} sign-ins on the bus`,
  });

test('workers alone publish events; when the leader is killed, another continues without a lost event', async () => {
  await apiLogin(deployment);
  const [first, second] = [await startWorker(), await startWorker()];
  await untilDelivered(1);
  expect(
    deployment.programs.map((server) => server.output()).filter((text) => text.includes('does the jobs')),
  ).toEqual([]);

  await waitFor(() => leads(first) || leads(second));
  const [leader, other] = leads(first) ? [first, second] : [second, first];
  expect(leads(other)).toBe(false);
  leader.kill('SIGKILL');
  await leader.ended;
  for (let n = 0; n < 3; n += 1) await apiLogin(deployment);
  await untilDelivered(4);

  const details = await logins();
  expect(new Set(details.map(({ subject }) => subject)).size).toBe(1);
  expect(details[0]).toMatchObject({ type: 'user.login', data: { email: demo.email } });
  // The account's first event is `user.created`.
  expect(details.map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5]);

  other.kill('SIGTERM');
  expect(await other.ended).toBe(0);
}, 240_000);

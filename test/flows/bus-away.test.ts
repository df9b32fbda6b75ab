import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createEventBus, type EventBus } from '../adapters/aws/event-bus.ts';
import { type FleetDeployment, startServers } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import { metric } from '../support/metrics.ts';
import { type AwsProxy, startAwsProxy } from '../support/servers/aws-proxy.ts';
import { type Moto, startMoto } from '../support/servers/moto.ts';
import { waitFor } from '../support/wait-for.ts';

let moto: Moto;
let proxy: AwsProxy;
let buses: { there: EventBus; away: EventBus };
/** The same deployment twice. Only one reaches its bus. */
let there: FleetDeployment;
let away: FleetDeployment;

beforeAll(async () => {
  moto = await startMoto();
  proxy = await startAwsProxy(moto.url);
  proxy.treat(() => new Promise(() => {}));
  buses = { there: await createEventBus(moto), away: await createEventBus(moto) };
  const start = (bus: EventBus, endpoint: string) =>
    startServers({
      processes: 1,
      env: {
        ...moto.environment,
        GATEHOUSE_EVENTS_SINK: `eventbridge:${bus.name}`,
        AWS_ENDPOINT_URL: endpoint,
      },
    });
  [there, away] = await Promise.all([start(buses.there, moto.url), start(buses.away, proxy.url)]);
}, 300_000);
afterAll(async () => {
  await Promise.all([there?.stop(), away?.stop()]);
  await proxy?.close();
  await moto?.stop();
});

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const median = (values: number[]) =>
  values.sort((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
const pending = (deployment: FleetDeployment) => metric(deployment, 'gatehouse_outbox_pending');
const signIns = 30;

test('sign-ins take as long while the bus does not answer; then all their events arrive in order', async () => {
  await apiLogin(there);
  await apiLogin(away);
  const times: { there: number[]; away: number[] } = { there: [], away: [] };
  // In turns, so that other load on the machine slows down both.
  for (let n = 1; n < signIns; n += 1) {
    times.there.push(await milliseconds(() => apiLogin(there)));
    times.away.push(await milliseconds(() => apiLogin(away)));
  }
  expect(await pending(away)).toBeGreaterThanOrEqual(signIns);
  await waitFor(async () => (await pending(there)) === 0, { timeoutMs: 60_000 });
  const ratio = median(times.away) / median(times.there);
  expect(ratio).toBeLessThan(1.5);
  expect(ratio).toBeGreaterThan(1 / 1.5);

  proxy.treat(undefined);
  await waitFor(async () => (await pending(away)) === 0, {
    timeoutMs: 120_000,
    what: 'the events to be published',
  });
  const details = (await buses.away.delivered()).map(({ detail }) => detail);
  const first = new Map(details.map(({ id, sequence }) => [id, sequence]));
  // The account's first event is `user.created`.
  const ofAccount = details.filter(({ subject }) => String(subject).startsWith('user_'));
  const inOrder = [...new Set(ofAccount.map(({ id }) => first.get(id)))];
  expect(inOrder).toEqual(Array.from({ length: signIns + 1 }, (_, at) => at + 1));
}, 300_000);

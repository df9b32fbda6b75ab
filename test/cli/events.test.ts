import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type Database, openDatabase } from '../../adapters/postgres/database.ts';
import { PostgresOutbox } from '../../adapters/postgres/outbox.ts';
import { eventsChannel, PostgresSignals } from '../../adapters/postgres/wake-up.ts';
import { silentLogger } from '../../provider/bin/commands/silent-logger.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import type { OutboxEvent } from '../../provider/ports/outbox.ts';
import { sampleEvent } from '../contract/outbox.ts';
import { waitFor } from '../support/wait-for.ts';
import { useAccountDatabase } from './account-database.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

const { place, env, add } = useAccountDatabase();
let pool: Database;
let outbox: PostgresOutbox;
beforeAll(() => {
  pool = openDatabase({ url: env().GATEHOUSE_DATABASE_URL ?? '' });
  outbox = new PostgresOutbox({ db: pool.knex });
});
afterAll(() => pool?.close());
beforeEach(async () => {
  await outbox.retry(undefined);
  for (;;) {
    const claimed = await outbox.claim(100, systemClock.now(), 60_000);
    if (claimed.length === 0) return;
    await outbox.markPublished(
      claimed.map(({ id }) => id),
      systemClock.now(),
    );
  }
});

async function setAside(reason: string): Promise<OutboxEvent> {
  const event = sampleEvent();
  await outbox.append(event);
  await outbox.claim(10, systemClock.now(), 60_000);
  await outbox.markFailed(event.id, reason, undefined);
  return event;
}

/** Counts the signals that wake the process that publishes events. */
async function listen() {
  const signals = { count: 0 };
  const woken = () => {
    signals.count += 1;
  };
  const channel = new PostgresSignals({ db: pool.knex, logger: silentLogger() }).channel(eventsChannel);
  const listener = channel.listen(woken);
  await waitFor(() => listener.arrives());
  signals.count = 0;
  const { stop } = listener;
  return { signals, stop };
}

const failed = (...args: string[]) => place().gatehouse(['events', 'failed', ...args]);
const claimable = async () => (await outbox.claim(10, systemClock.now(), 60_000)).map(({ id }) => id);

test('shows what was set aside and why, without the data of the event', async () => {
  const nothing = await failed();
  expect([nothing.code, nothing.stdout]).toEqual([0, 'No event was set aside.\n']);
  const event = await setAside('MalformedDetail: bad \u001b[31m');
  const text = await failed();
  expect(text.stdout).toContain(event.id);
  expect(text.stdout).toContain('MalformedDetail: bad \ufffd[31m');
  const json = await failed('--json');
  expect(JSON.parse(json.stdout)).toEqual({
    total: 1,
    events: [
      {
        id: event.id,
        type: 'user.login',
        version: 1,
        time: '2026-01-01T00:00:00.000Z',
        subject: event.subject,
        sequence: 1,
        attempts: 1,
        reason: 'MalformedDetail: bad \u001b[31m',
      },
    ],
  });
});

test('--retry makes all of them due again and wakes the worker', async () => {
  const events = [await setAside('one'), await setAside('two')];
  const { signals, stop } = await listen();
  const { code, stdout } = await failed('--retry');
  expect([code, stdout]).toEqual([0, 'Due again: 2 events.\n']);
  await waitFor(() => signals.count === 1);
  expect(await claimable()).toEqual(events.map(({ id }) => id));
  await stop();
});

test('a command that writes events wakes the worker once, and a command that only reads does not', async () => {
  const { email } = await add();
  const { signals, stop } = await listen();
  const writes = [
    ['accounts', 'create', '--email', `new-${email}`],
    ['accounts', 'disable', email],
    ['accounts', 'enable', email],
  ];
  for (const [index, args] of writes.entries()) {
    await place().gatehouse(['accounts', 'list']);
    const { code, stderr } = await place().gatehouse(args, { input: 'correct-horse-battery' });
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
    await waitFor(() => signals.count > index, { what: `a signal after ${args.join(' ')}` });
    expect(signals.count).toBe(index + 1);
  }
  await stop();
});

test('--retry --id takes only these, and says which ids are not set aside', async () => {
  const [one, other] = [await setAside('one'), await setAside('two')];
  const { code, stdout, stderr } = await failed('--retry', '--id', one.id, 'evt_unknown', '--json');
  expect(JSON.parse(stdout)).toEqual({ retried: [one.id] });
  expect(code).not.toBe(0);
  expect(JSON.parse(stderr)).toMatchObject({
    error: { code: 'not_found', message: 'Not set aside: evt_unknown' },
  });
  expect(await claimable()).toEqual([one.id]);
  expect((await outbox.setAside(10)).map(({ id }) => id)).toEqual([other.id]);
});

test('works without an AWS region while the events go to EventBridge', async () => {
  const { code, stderr } = await place().gatehouse(['events', 'failed'], {
    env: { GATEHOUSE_EVENTS_SINK: 'eventbridge:main', AWS_REGION: '' },
  });
  expect([code, stderr]).toEqual([0, '']);
});

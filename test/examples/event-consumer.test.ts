import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import { type Deployment, startServers } from '../support/deployment.ts';
import { apiLogin } from '../support/json-api.ts';
import { runToEnd } from '../support/program.ts';
import { type AwsProxy, startAwsProxy } from '../support/servers/aws-proxy.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  type ConsumerPlace,
  createConsumerPlace,
  type EventMessage,
  type EventSource,
  type PlaceOptions,
  startEventSource,
} from './consumer-place.ts';

// The first run installs the emulator, and the programs start several times.
jest.setTimeout(240_000);

let source: EventSource;
let deployment: Deployment;
/** The messages about one account. Each test sends some of them to a queue of its own. */
let events: EventMessage[];
let subject: string;
beforeAll(async () => {
  source = await startEventSource();
  deployment = await startServers({ processes: 1, env: source.gatehouseSettings });
  events = await makeAccount(16);
  subject = events[0]?.subject ?? '';
}, 240_000);
afterAll(async () => {
  await deployment?.stop();
  await source?.stop();
});

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function newPlace(options: PlaceOptions = {}): Promise<ConsumerPlace> {
  const place = await createConsumerPlace(source, options);
  cleanups.push(place.remove);
  return place;
}

/** Makes an account, and gives the events about it: created, sign-in, disabled, enabled, and more sign-ins. */
async function makeAccount(signIns: number): Promise<EventMessage[]> {
  const email = `p${process.hrtime.bigint()}@example.com`;
  const password = 'a-password-of-theirs';
  const { env, folder: cwd } = deployment;
  const accounts = (...args: string[]) => runToEnd(['accounts', ...args], { env, cwd, input: password });
  await accounts('create', '--email', email, '--role', 'CLIENT');
  await apiLogin(deployment, { email, password });
  await accounts('disable', email);
  await accounts('enable', email);
  for (let count = 0; count < signIns; count += 1) await apiLogin(deployment, { email, password });
  return source.eventsOf(email, 4 + signIns);
}

/** The messages with these sequences, in this order. */
const pick = (...sequences: number[]) =>
  sequences.flatMap((wanted) => events.filter(({ sequence }) => sequence === wanted));

describe('the event consumer of the examples, with events of a real Gatehouse', () => {
  test('gets each event through EventBridge and SQS, and makes its effect', async () => {
    const place = await newPlace({ bus: source.bus });
    await place.start();
    const [first] = await makeAccount(1);
    const account = first?.subject ?? '';
    expect(await place.sequences(account, 5)).toEqual([1, 2, 3, 4, 5]);
    expect((await place.history(account)).map(({ type }) => type)).toEqual([
      'user.created',
      'user.login',
      'user.disabled',
      'user.enabled',
      'user.login',
    ]);
    expect(await isActive(place, account)).toBe(true);
    await waitFor(async () => (await place.left()) === 0, { what: 'an empty queue' });
  });

  test('drops repeats and restores the order, with two consumers at the same queue', async () => {
    const place = await newPlace();
    await place.send(pick(12, 3, 3, 1, 9, 10, 4, 4, 12, 2, 5));
    await Promise.all([place.start({ GAP_SECONDS: '600' }), place.start({ GAP_SECONDS: '600' })]);
    expect(await place.sequences(subject, 5)).toEqual([1, 2, 3, 4, 5]);
    await place.send(pick(11, 8, 1, 7, 6, 6));
    await place.sequences(subject, 12);
    await waitFor(async () => (await place.left()) === 0, { timeoutMs: 60_000, what: 'an empty queue' });
    expect(await place.sequences(subject, 12)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await place.deadLetters(0)).toEqual([]);
  });

  test('waits a bounded time for a missing event, goes on and says so, and takes it later', async () => {
    const place = await newPlace();
    const patient = await place.start({ GAP_SECONDS: '600' });
    await place.send(pick(1, 2, 4));
    await waitFor(async () => (await place.left()) === 0, { what: 'an empty queue' });
    // The event is in the table. It waits there although the queue no longer has it, and the consumer ends.
    expect(await patient.end('SIGTERM')).toBe(0);
    expect(await place.sequences(subject, 2)).toEqual([1, 2]);

    const consumer = await place.start({ GAP_SECONDS: '1' });
    expect(await place.sequences(subject, 3)).toEqual([1, 2, 4]);
    await waitFor(() => consumer.output().includes('went on without events that are missing'));
    expect(consumer.output()).toMatch(/"sequence":4,"last":2/);
    expect(await isActive(place, subject)).toBe(true);

    // The disabling comes after the enabling. It must not win.
    await place.send(pick(3));
    expect(await place.sequences(subject, 4)).toEqual([1, 2, 4, 3]);
    await waitFor(() => consumer.output().includes('an event came after later ones'));
    expect(await isActive(place, subject)).toBe(true);
  });

  test('works as a Lambda function, in which only the failed messages of a batch stay in the queue', async () => {
    const place = await newPlace({ tries: 1, visibilitySeconds: 10 });
    await place.database.query(await readFile('examples/event-consumer/tables.sql', 'utf8'));
    await place.runAsFunction({ GAP_SECONDS: '600' });
    await place.send([...pick(3, 1), { body: 'no event' }, ...pick(2, 1)]);
    expect(await place.sequences(subject, 3)).toEqual([1, 2, 3]);
    const dead = await place.deadLetters(1);
    expect(dead).toEqual(['no event']);
    await waitFor(async () => (await place.left()) === 0, { what: 'an empty queue' });
    expect(await place.sequences(subject, 3)).toEqual([1, 2, 3]);
  });

  test('counts an event of a type that only a later release has', async () => {
    const place = await newPlace();
    await place.start({ GAP_SECONDS: '600' });
    const [second] = pick(2);
    const body = (second?.body ?? '').replaceAll('user.login', 'user.greeted');
    await place.send([...pick(1), { body }, ...pick(3)]);
    expect(await place.sequences(subject, 2)).toEqual([1, 3]);
    expect(await place.deadLetters(0)).toEqual([]);
  });
});

async function isActive({ database }: ConsumerPlace, subject: string): Promise<boolean> {
  const { rows } = await database.query('SELECT active FROM people WHERE id = $1', [subject]);
  return rows[0]?.active;
}

describe('a consumer that is killed loses no effect and makes none twice', () => {
  test('in its transaction', async () => {
    const place = await newPlace();
    const first = await place.start();
    // The consumer has noted the id of the event, and waits for this lock before it makes the effect.
    const blocker = new Client({ connectionString: place.environment.DATABASE_URL });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE people_history');
    await place.send(pick(1, 2));
    const waiting =
      "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    await waitFor(async () => (await place.database.query(waiting)).rowCount === 1, { what: 'the lock' });
    await first.end('SIGKILL');
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect(await place.history(subject)).toEqual([]);

    await place.start();
    expect(await place.sequences(subject, 2)).toEqual([1, 2]);
    await waitFor(async () => (await place.left()) === 0, { what: 'an empty queue' });
    expect(await place.sequences(subject, 2)).toEqual([1, 2]);
  });

  test('between the effect and the deletion of the message', async () => {
    const place = await newPlace();
    const proxy = await throughProxy();
    const first = await place.start(proxy.settings(place));
    const killed = new Promise<void>((resolve) => {
      proxy.treat(async ({ operation }, forward) => {
        if (operation !== 'DeleteMessageBatch') return forward();
        await first.end('SIGKILL');
        resolve();
        return undefined;
      });
    });
    await place.send(pick(1, 2));
    await killed;
    const before = await place.history(subject);
    expect(before.length).toBeGreaterThan(0);
    expect(await place.left()).toBe(2);

    await place.start();
    await place.sequences(subject, 2);
    await waitFor(async () => (await place.left()) === 0, { what: 'an empty queue' });
    expect(await place.sequences(subject, 2)).toEqual([1, 2]);
  });

  test('again and again, at any moment', async () => {
    const place = await newPlace({ tries: 1_000 });
    const numbers = events.map(({ sequence }) => sequence);
    const shuffled = [...numbers.filter((number) => number % 3 !== 1), ...numbers.filter((n) => n % 3 === 1)];
    const proxy = await throughProxy();
    let calls = 0;
    for (let round = 0; round < 3; round += 1) {
      const consumer = await place.start(proxy.settings(place));
      const killed = new Promise<void>((resolve) => {
        proxy.treat(async (_, forward) => {
          calls += 1;
          const answer = await forward();
          if (calls % 4 === 0) await consumer.end('SIGKILL').then(() => resolve());
          return answer;
        });
      });
      const part = shuffled.slice(round * 6, round * 6 + 8);
      await place.send(pick(...part));
      await killed;
    }
    await place.send(pick(...shuffled.slice(18)));
    await place.start();
    await place.sequences(subject, numbers.length);
    await waitFor(async () => (await place.left()) === 0, { timeoutMs: 60_000, what: 'an empty queue' });
    expect(await place.sequences(subject, numbers.length)).toEqual(numbers);
  });

  /** A proxy between a consumer and the emulator. */
  async function throughProxy(): Promise<
    AwsProxy & { settings(place: ConsumerPlace): Record<string, string> }
  > {
    const proxy = await startAwsProxy(source.ministack.url);
    cleanups.push(proxy.close);
    const settings = ({ queueUrl }: ConsumerPlace) => ({
      AWS_ENDPOINT_URL: proxy.url,
      QUEUE_URL: new URL(new URL(queueUrl).pathname, proxy.url).href,
    });
    return Object.assign(proxy, { settings });
  }
});

describe('what can never be processed comes to the dead-letter queue, and blocks nothing else', () => {
  test('a message that is no event', async () => {
    const place = await newPlace({ tries: 2 });
    await place.start();
    const [first] = pick(1);
    const wrong = [
      '{',
      '{"detail":{}}',
      (first?.body ?? '').replaceAll('"version": 1', '"version":1').replace('"version":1', '"version":2'),
    ];
    await place.send([...wrong.map((body) => ({ body })), ...pick(1, 2, 3, 4)]);
    expect(await place.sequences(subject, 4)).toEqual([1, 2, 3, 4]);
    const dead = await place.deadLetters(3);
    expect(dead.sort()).toEqual(wrong.sort());
  });

  test.each([
    ['an event whose turn it is', [1, 2, 3, 4]],
    ['an event that waited for its turn', [2, 3, 4, 1]],
  ])('%s, when its effect fails each time', async (_what, order) => {
    const place = await newPlace({ tries: 3 });
    const consumer = await place.start({ GAP_SECONDS: '3', RETRY_SECONDS: '1' });
    await place.database.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'this effect fails'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON people_history FOR EACH ROW
        WHEN (NEW.sequence = 2) EXECUTE FUNCTION refuse()`);
    for (const message of pick(...order)) await place.send([message]);
    expect(await place.sequences(subject, 3)).toEqual([1, 3, 4]);
    const dead = await place.deadLetters(1);
    expect(dead).toEqual(pick(2).map(({ body }) => body));
    expect(consumer.output()).toContain('this effect fails');

    await place.database.query('DROP TRIGGER refuse ON people_history');
    await place.send(dead.map((body) => ({ body })));
    expect(await place.sequences(subject, 4)).toEqual([1, 3, 4, 2]);
  });
});

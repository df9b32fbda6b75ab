import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EventBridgeSink } from '../../../adapters/aws/event-bridge.ts';
import type { PublishedEvent } from '../../../provider/ports/event-sink.ts';
import { eventSinkContract, someEvent } from '../../contract/event-sink.ts';
import { type AwsProxy, awsError, startAwsProxy, type Treatment } from '../../support/servers/aws-proxy.ts';
import { type Moto, startMoto } from '../../support/servers/moto.ts';
import { createEventBus, type EventBus } from './event-bus.ts';

let moto: Moto;
let proxy: AwsProxy;
let bus: EventBus;
let sink: EventBridgeSink;

interface Entry {
  DetailType: string;
  Detail: string;
  Source: string;
}
const entriesOf = (body: string) => (JSON.parse(body) as { Entries: Entry[] }).Entries;
const idOf = ({ Detail }: Entry) => (JSON.parse(Detail) as PublishedEvent).id;

/** Refuses the entries for which `code` gives an error, and forwards the others, as EventBridge does. */
function refusing(code: (id: string) => string | undefined): Treatment {
  return async ({ body }, forward) => {
    const entries = entriesOf(body);
    const good = entries.filter((entry) => code(idOf(entry)) === undefined);
    const answer = good.length > 0 ? await forward(JSON.stringify({ Entries: good })) : undefined;
    const accepted = answer ? (JSON.parse(answer.body) as { Entries: unknown[] }).Entries : [];
    const Entries = entries.map((entry) => {
      const ErrorCode = code(idOf(entry));
      return ErrorCode === undefined ? accepted.shift() : { ErrorCode, ErrorMessage: 'a test refused it' };
    });
    const FailedEntryCount = entries.length - good.length;
    return { status: 200, body: JSON.stringify({ FailedEntryCount, Entries }) };
  };
}

const open = async () => {
  proxy = await startAwsProxy(moto.url);
  bus = await createEventBus(moto);
  const client = { ...moto.client, endpoint: proxy.url };
  sink = new EventBridgeSink({ bus: bus.name, client, callMs: 2_000 });
};
const close = async () => {
  sink.close();
  await proxy.close();
};

beforeAll(async () => {
  moto = await startMoto();
}, 120_000);
afterAll(() => moto?.stop());

eventSinkContract('EventBridgeSink', async () => {
  await open();
  const codes = new Map<string, string>();
  const usual = refusing((id) => codes.get(id));
  proxy.treat(usual);
  return {
    sink,
    arrived: async () => (await bus.delivered()).map(({ detail }) => String(detail.id)),
    refuse: async (ids, outcome) => {
      for (const id of ids) codes.set(id, outcome === 'rejected' ? 'MalformedDetail' : 'InternalFailure');
    },
    goAway: async () => proxy.treat(async () => undefined),
    comeBack: async () => proxy.treat(usual),
    close,
  };
});

describe('EventBridgeSink', () => {
  beforeEach(open);
  afterEach(close);

  const sizesOfCalls = () =>
    proxy.calls.map(({ body }) => entriesOf(body).length).sort((one, other) => other - one);
  const outcomes = async (events: PublishedEvent[]) => {
    const results = await sink.publish(events);
    return events.map(({ id }) => results.filter((result) => result.id === id).map(({ outcome }) => outcome));
  };
  const big = (bytes: number) => someEvent({ data: { text: 'x'.repeat(bytes) } });

  test('a consumer gets the type as detail-type and the whole event as detail', async () => {
    const event = someEvent({ type: 'user.created' });
    await sink.publish([event]);
    expect(await bus.delivered()).toEqual([
      expect.objectContaining({
        source: 'gatehouse',
        'detail-type': 'user.created',
        time: '2026-01-01T00:00:00Z',
        detail: event,
      }),
    ]);
  });

  test('a call has at most 10 entries', async () => {
    await sink.publish(Array.from({ length: 25 }, () => someEvent()));
    expect(sizesOfCalls()).toEqual([10, 10, 5]);
  });

  test('a call has at most 256 KB, counted in bytes', async () => {
    const events = [
      ...Array.from({ length: 3 }, () => big(100_000)),
      someEvent({ data: { text: 'ü'.repeat(70_000) } }),
    ];
    expect(await outcomes(events)).toEqual(events.map(() => ['published']));
    expect(sizesOfCalls()).toEqual([2, 2]);
    for (const { body } of proxy.calls) {
      const bytes = entriesOf(body).map(
        ({ DetailType, Detail, Source }) => Buffer.byteLength(DetailType + Detail + Source) + 14,
      );
      expect(bytes.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(262_144);
    }
  });

  test('an event over 256 KB is rejected, and the others are published', async () => {
    const [before, large, after] = [someEvent(), big(262_144), someEvent()];
    expect(await outcomes([before, large, after])).toEqual([['published'], ['rejected'], ['published']]);
    expect((await sink.publish([large]))[0]).toMatchObject({
      reason: expect.stringContaining('at most 262144'),
    });
  });

  test.each([
    'ThrottlingException',
    'InternalFailure',
    'AccessDeniedException',
    'NotAuthorizedForSourceException',
  ])('an entry that failed with %s can be published later', async (code) => {
    const [good, bad] = [someEvent(), someEvent()];
    proxy.treat(refusing((id) => (id === bad.id ? code : undefined)));
    expect(await sink.publish([bad, good])).toEqual([
      { id: bad.id, outcome: 'failed', reason: `${code}: a test refused it` },
      { id: good.id, outcome: 'published' },
    ]);
    proxy.treat(undefined);
    expect(await outcomes([bad])).toEqual([['published']]);
    expect((await bus.delivered()).map(({ detail }) => detail.id)).toEqual([good.id, bad.id]);
  });

  test('a throttled call fails its events, and is not repeated by the sink', async () => {
    const events = [someEvent(), someEvent()];
    proxy.treat(async () => awsError('ThrottlingException', 'Rate exceeded'));
    expect(await sink.publish(events)).toEqual(
      events.map(({ id }) => ({ id, outcome: 'failed', reason: 'ThrottlingException: Rate exceeded' })),
    );
    expect(proxy.calls).toHaveLength(1);
  });

  test('a call whose answer was lost fails; the repeated event has the same id', async () => {
    const event = someEvent();
    proxy.treat(async (_, forward) => {
      await forward();
      return undefined;
    });
    expect(await outcomes([event])).toEqual([['failed']]);
    proxy.treat(undefined);
    expect(await outcomes([event])).toEqual([['published']]);
    expect((await bus.delivered()).map(({ detail }) => detail.id)).toEqual([event.id, event.id]);
  });

  test('a call without an answer fails after a bounded time', async () => {
    const impatient = new EventBridgeSink({
      bus: bus.name,
      client: { ...moto.client, endpoint: proxy.url },
      callMs: 50,
    });
    proxy.treat(() => new Promise(() => {}));
    expect(await impatient.publish([someEvent()])).toMatchObject([{ outcome: 'failed' }]);
    const bounded = new EventBridgeSink({
      bus: bus.name,
      client: { ...moto.client, endpoint: proxy.url },
      publishMs: 50,
    });
    const many = Array.from({ length: 30 }, () => someEvent());
    expect(await bounded.publish(many)).toEqual(
      many.map(({ id }) => expect.objectContaining({ id, outcome: 'failed' })),
    );
    impatient.close();
    bounded.close();
  });

  test('an entry for which AWS refuses the whole call does not stop the others', async () => {
    const [before, bad, after] = [someEvent(), someEvent(), someEvent()];
    proxy.treat(async ({ body }, forward) =>
      body.includes(bad.id) ? awsError('ValidationException', 'one entry is wrong') : forward(),
    );
    expect(await outcomes([before, bad, after])).toEqual([['published'], ['failed'], ['published']]);
  });

  test('the region of an ARN takes precedence over the configured region', async () => {
    const elsewhere = new EventBridgeSink({
      bus: 'arn:aws:events:us-west-2:123456789012:event-bus/main',
      client: moto.client,
    });
    expect(await elsewhere.region()).toBe('us-west-2');
    expect(await sink.region()).toBe(moto.client.region);
    elsewhere.close();
  });
});

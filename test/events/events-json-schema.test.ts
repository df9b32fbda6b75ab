import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { createEvent, type EventType, eventCatalogue } from '../../provider/events/catalogue.ts';
import { renderEventsJsonSchema } from '../../provider/events/events-json-schema.ts';
import { createRelay } from '../../provider/events/relay.ts';
import { systemClock as clock } from '../../provider/lib/clock.ts';
import { MemoryEventSink } from '../support/memory/event-sink.ts';
import { MemoryOutbox } from '../support/memory/outbox.ts';
import { pythonWith } from '../support/python.ts';

const run = promisify(execFile);
let python: string;
beforeAll(async () => {
  python = await pythonWith(['jsonschema==4.26.0']);
}, 300_000);

const program = `
import json, sys
from jsonschema import Draft202012Validator
schema, documents = json.loads(sys.argv[1]), json.loads(sys.argv[2])
Draft202012Validator.check_schema(schema)
print(json.dumps([Draft202012Validator(schema).is_valid(document) for document in documents]))
`;

/** Whether a validator that is not ours accepts each document. */
async function accepted(documents: unknown[]): Promise<boolean[]> {
  const { stdout } = await run(python, ['-c', program, renderEventsJsonSchema(), JSON.stringify(documents)]);
  return JSON.parse(stdout) as boolean[];
}

const types = Object.keys(eventCatalogue) as EventType[];
const samples: Record<string, unknown> = { array: ['one'], number: 9 };
const sample = (schema: z.ZodType): unknown =>
  schema instanceof z.ZodEnum ? schema.options[0] : (samples[schema.type] ?? 'some text');

/** An event as a sink publishes it. */
async function published(type: EventType, withOptional: boolean): Promise<Record<string, unknown>> {
  const fields = Object.entries(eventCatalogue[type].data.shape as Record<string, z.ZodType>);
  const data = Object.fromEntries(
    fields
      .filter(([, schema]) => withOptional || schema.type !== 'optional')
      .map(([name, schema]) => [name, sample(schema)]),
  );
  const outbox = new MemoryOutbox();
  const sink = new MemoryEventSink();
  await outbox.append(createEvent(type, 'user_a', data, { clock }));
  await createRelay({ outbox, sink, clock, logger: { warn: () => {}, error: () => {} } }).runOnce();
  return { ...sink.published[0] };
}

test('every event that is published is valid, with and without its optional fields', async () => {
  const events = await Promise.all(types.flatMap((type) => [published(type, true), published(type, false)]));
  expect(await accepted(events)).toEqual(events.map(() => true));
});

test('an event of another shape is not valid', async () => {
  const event = await published('user.login', true);
  const without = (name: string) => Object.fromEntries(Object.entries(event).filter(([key]) => key !== name));
  const wrong = [
    ...Object.keys(event).map(without),
    { ...event, type: 'user.created' },
    { ...event, type: 'user.unknown' },
    { ...event, version: 2 },
    { ...event, sequence: 0 },
    { ...event, data: {} },
  ];
  // The fields of `user.created` are also in `user.login`, so the type alone does not make the event wrong.
  expect(await accepted(wrong)).toEqual(wrong.map(({ type }: { type?: unknown }) => type === 'user.created'));
});

test('a field that a later release adds is valid', async () => {
  const event = await published('user.login', true);
  const data = { ...(event.data as object), more: 1 };
  expect(await accepted([{ ...event, data, more: 1 }])).toEqual([true]);
});

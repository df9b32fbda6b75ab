import { expect, test } from '@jest/globals';
import { StdoutEventSink } from '../../adapters/stdout/event-sink.ts';
import type { PublishedEvent } from '../../provider/ports/event-sink.ts';

const event = (id: string): PublishedEvent => ({
  id,
  type: 'user.login',
  version: 1,
  time: '2026-01-01T00:00:00.000Z',
  subject: 'user_john',
  sequence: 7,
  data: { id: 'user_john', userAgent: 'two\nlines' },
});

test('writes one line of JSON for each event', async () => {
  const lines: string[] = [];
  const sink = new StdoutEventSink({ write: (line) => void lines.push(line) });
  await expect(sink.publish([event('evt_1'), event('evt_2')])).resolves.toEqual([
    { id: 'evt_1', outcome: 'published' },
    { id: 'evt_2', outcome: 'published' },
  ]);
  expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
  expect(lines.map((line) => JSON.parse(line))).toEqual([event('evt_1'), event('evt_2')]);
});

test('an event that could not be written has the result failed, the others do not', async () => {
  const write = (line: string) => {
    if (line.includes('evt_1')) throw new Error('EPIPE');
  };
  await expect(new StdoutEventSink({ write }).publish([event('evt_1'), event('evt_2')])).resolves.toEqual([
    { id: 'evt_1', outcome: 'failed', reason: 'Error: EPIPE' },
    { id: 'evt_2', outcome: 'published' },
  ]);
});

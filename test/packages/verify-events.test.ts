import { describe, expect, test } from '@jest/globals';
import { EventFormatError, parseEvent } from '../../packages/verify/src/events.ts';
import { createEvent } from '../../provider/events/catalogue.ts';

/** An event as Gatehouse publishes it. */
function published(change: Record<string, unknown> = {}) {
  const data = { id: 'user_1', email: 'ada@example.com' };
  const event = createEvent('user.created', 'user_1', data, { clock: { now: () => 0 }, id: 'evt_1' });
  return { ...event, time: new Date(event.time).toISOString(), sequence: 1, ...change };
}
/** The event of EventBridge that has it. */
const onEventBridge = (detail: unknown) => ({
  version: '0',
  id: 'b0a4…',
  'detail-type': 'user.created',
  source: 'gatehouse',
  detail,
});

describe('an event', () => {
  test.each<[name: string, form: (event: unknown) => unknown]>([
    ['itself', (event) => event],
    ['as JSON text', (event) => JSON.stringify(event)],
    ['of EventBridge', onEventBridge],
    ['of EventBridge as JSON text', (event) => JSON.stringify(onEventBridge(event))],
  ])('%s is read', (_name, form) => {
    expect(parseEvent(form(published()))).toEqual(published());
  });

  test('may have more fields, because a later release may add some', () => {
    const data = { id: 'user_1', email: 'ada@example.com', more: 1 };
    expect(parseEvent(published({ data, other: true }))).toMatchObject({ data, other: true });
  });

  test.each(['user.promoted', 'toString', '__proto__'])('of the unknown type %s is undefined', (type) => {
    expect(parseEvent(published({ type }))).toBeUndefined();
  });

  test('of another version of its format is refused with a code of its own', () => {
    expect(() => parseEvent(published({ version: 2 }))).toThrow(
      expect.objectContaining({ code: 'unknown_event_version' }),
    );
  });

  test.each<[name: string, input: unknown]>([
    ['no JSON', 'user.created'],
    ['no object', null],
    ['a list', []],
    ['an empty object', {}],
    ['no detail', onEventBridge(undefined)],
    ['no id', published({ id: undefined })],
    ['a sequence as text', published({ sequence: '1' })],
    ['no data', published({ data: undefined })],
    ['data without a field', published({ data: { id: 'user_1' } })],
    ['data with a field of another type', published({ data: { id: 'user_1', email: 1 } })],
  ])('with %s is refused', (_name, input) => {
    expect(() => parseEvent(input)).toThrow(EventFormatError);
    expect(() => parseEvent(input)).toThrow(expect.objectContaining({ code: 'malformed_event' }));
  });
});

import { envelopeShape, eventShapes, type GatehouseEvent } from './generated/events.ts';
import { firstMismatch, isObject } from './shape.ts';

export type * from './generated/events.ts';

/** The names of all types of events that this version of the package knows. */
export type EventType = GatehouseEvent['type'];

/** The event of one type: `EventOf<'user.login'>`. */
export type EventOf<Type extends EventType> = Extract<GatehouseEvent, { type: Type }>;

/** The text is no event of Gatehouse, or an event of a later version of its format. */
export class EventFormatError extends Error {
  readonly code: 'malformed_event' | 'unknown_event_version';

  constructor(code: EventFormatError['code'], message: string) {
    super(message);
    this.name = 'EventFormatError';
    this.code = code;
  }
}

/**
 * Reads an event of Gatehouse.
 *
 * @param input the event; or the event of EventBridge that has it in `detail`; or the JSON text of one of them, such as
 *   the `body` of a message of SQS
 * @returns the event, with the type of its `data`; undefined for a type that this version of the package does not know:
 *   a later release of Gatehouse may have more types, so ignore such an event
 * @throws EventFormatError `malformed_event`; `unknown_event_version` if the format of `data` is of another version
 */
export function parseEvent(input: unknown): GatehouseEvent | undefined {
  const outer = typeof input === 'string' ? parseJson(input) : input;
  const event = isObject(outer) && 'detail-type' in outer ? outer.detail : outer;
  if (!isObject(event)) throw malformed('This is no JSON object.');
  const wrong = firstMismatch(event, { type: 'string', version: 'number', ...envelopeShape, data: 'object' });
  if (wrong !== undefined) throw malformed(`The field ${wrong} is missing or has a wrong type.`);

  const type = String(event.type);
  if (!isKnown(type)) return undefined;
  const { version, data: shape } = eventShapes[type];
  if (event.version !== version)
    throw new EventFormatError(
      'unknown_event_version',
      `The event ${type} has version ${event.version}, but this package knows version ${version}.`,
    );
  const field = firstMismatch(event.data as Record<string, unknown>, shape);
  if (field !== undefined)
    throw malformed(`The field data.${field} of ${type} is missing or has a wrong type.`);
  return event as unknown as GatehouseEvent;
}

const isKnown = (type: string): type is EventType => Object.hasOwn(eventShapes, type);

const malformed = (message: string) => new EventFormatError('malformed_event', message);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('This is no JSON.');
  }
}

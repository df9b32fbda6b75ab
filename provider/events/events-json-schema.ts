import { z } from 'zod';
import { type EventType, eventCatalogue } from './catalogue.ts';

const envelope = {
  id: { type: 'string', pattern: '^evt_', description: 'The same at every delivery.' },
  time: { type: 'string', format: 'date-time', description: 'When the event was written, in UTC.' },
  subject: {
    type: 'string',
    minLength: 1,
    description: 'The id of the account; or `keys`; or `clients:` with the name of the source.',
  },
  sequence: {
    type: 'integer',
    minimum: 1,
    description: 'Counts the events of the subject: 1, 2, 3 and so on. The same at every delivery.',
  },
};

/**
 * Renders the JSON Schema (draft 2020-12) of every event. `$defs` has one schema for each type, under the name of the
 * type. More fields are allowed everywhere, because a later release may add some.
 */
export function renderEventsJsonSchema(): string {
  const types = Object.keys(eventCatalogue) as EventType[];
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Gatehouse events',
    oneOf: types.map((type) => ({ $ref: `#/$defs/${type}` })),
    $defs: Object.fromEntries(types.map((type) => [type, eventSchema(type)])),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** The JSON Schema of one type of event. */
export function eventSchema(type: EventType) {
  const { version, when, data } = eventCatalogue[type];
  const { $schema: _, ...dataSchema } = z.toJSONSchema(data, {
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  const { id, time, subject, sequence } = envelope;
  return {
    title: type,
    description: when,
    type: 'object',
    properties: {
      id,
      type: { const: type },
      time,
      version: { const: version, description: 'The version of `data`.' },
      subject,
      sequence,
      data: dataSchema,
    },
    required: ['id', 'type', 'time', 'version', 'subject', 'sequence', 'data'],
  };
}

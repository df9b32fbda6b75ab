import { z } from 'zod';
import { type EventType, eventCatalogue } from './catalogue.ts';

const intro = `# Events

Each event is a JSON object: \`id\` (\`evt_…\`, the same at every delivery), \`type\`, \`time\`, \`version\` (of the shape of
\`data\`), \`subject\` (the account it is about; \`keys\`, or \`clients:\` and their source) and \`data\`. It is delivered at least once:
drop what you have seen by its \`id\`. Events of one subject come in order. New fields may be added to \`data\` under the
same version.

Those of accounts and consents are written in the transaction they tell of. Those of sessions and families
(\`session.ended\`, \`family.ended\`, \`token.reuse_detected\`) are written in the transaction that forbids them for good:
what is told is over, what is over was told, and an end that was tried more than once is told once.
`;

/** Renders the documentation of all events from the catalogue. */
export function renderEventsMarkdown(): string {
  const types = Object.keys(eventCatalogue) as EventType[];
  return [intro, ...types.map(renderType)].join('\n');
}

function renderType(type: EventType): string {
  const { version, when, data } = eventCatalogue[type];
  const rows = Object.entries(data.shape).map(
    ([name, schema]) => `| \`${name}\` | ${typeOf(schema)} | ${schema.description} |`,
  );
  return [
    `## \`${type}\``,
    '',
    `Version ${version}. ${when}`,
    '',
    '| field of `data` | type | what |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const typeOf = (schema: z.ZodType): string =>
  schema instanceof z.ZodOptional ? typeOf(schema.unwrap() as z.ZodType) : schema.type;

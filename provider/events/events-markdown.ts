import { z } from 'zod';
import { type EventType, eventCatalogue } from './catalogue.ts';

const intro = `# Events

Each event is a JSON object with \`id\` (\`evt_…\`, the same at every delivery), \`type\`, \`time\`, \`version\` (of the format of
\`data\`), \`subject\` (the id of the account; or \`keys\`; or \`clients:\` with the name of the source), \`sequence\` and \`data\`. New
fields can be added without a new version. [\`events.schema.json\`](events.schema.json) has a JSON Schema for each type.
In TypeScript, [\`@gatehouse/verify/events\`](../packages/verify/README.md#events) has the types, and a function that reads an event.

Each event is delivered at least once: ignore an event whose \`id\` you have seen before. \`sequence\` counts the events of a
subject: 1, 2, 3 and so on. Gatehouse sends an event when the earlier ones of its subject were accepted, but EventBridge may deliver them
in another order. So compare \`sequence\` with the highest one that you have processed for this subject: an older event is late. A
gap that stays means that an event was set aside; \`gatehouse events failed\` shows it ([\`operate.md\`](operate.md#events)). It keeps its
number when it is delivered later. Events that a release without \`sequence\` published have none.
[\`examples/event-consumer\`](../examples/event-consumer/README.md) is a consumer that does all of this.

On EventBridge, \`source\` is \`gatehouse\`, \`detail-type\` is the event's \`type\`, and \`detail\` is the event. A rule for sign-ins:

\`\`\`json
{ "source": ["gatehouse"], "detail-type": ["user.login"] }
\`\`\`

An event about an account or a consent is written in the same transaction as the change. An event about a session or a family
(\`session.ended\`, \`family.ended\`, \`token.reuse_detected\`) is written in the same transaction as its revocation. There is one
event even if the session or family was ended several times. A family that Redis lost before has no event, because its account is not known.
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

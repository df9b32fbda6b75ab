import { type EventType, eventCatalogue } from './catalogue.ts';

const intro = `# Events

Each event is a JSON object: \`id\` (\`evt_…\`, the same at every delivery), \`type\`, \`time\`, \`version\` (of the shape of
\`data\`), \`subject\` (the account it is about) and \`data\`. It is written in the transaction it tells of and delivered
at least once: drop what you have seen by its \`id\`. Events of one subject come in order. New fields may be added to
\`data\` under the same version.
`;

/** The page about events, for people who receive them; made from the catalogue. */
export function renderEventsMarkdown(): string {
  const types = Object.keys(eventCatalogue) as EventType[];
  return [intro, ...types.map(renderType)].join('\n');
}

function renderType(type: EventType): string {
  const { version, when, data } = eventCatalogue[type];
  const rows = Object.entries(data.shape).map(
    ([name, schema]) => `| \`${name}\` | ${schema.type} | ${schema.description} |`,
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

import { z } from 'zod';
import { type EventType, eventCatalogue } from '../events/catalogue.ts';
import { eventSchema } from '../events/events-json-schema.ts';
import { acrLevels } from '../lib/password-sign-in.ts';
import { accessTokenClaimsSchema } from '../oidc/tokens/access-token-claims.ts';

/** The part of JSON Schema that our schemas use. */
export interface Schema {
  type?: string;
  const?: string | number;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
}

const notice = '// Generated from the schemas of Gatehouse by `npm run generate`. Do not edit.\n';

/** The claims of an access token as JSON Schema (draft 2020-12). More claims are allowed. */
export function accessTokenClaimsJsonSchema(): Schema {
  const { $schema, ...schema } = z.toJSONSchema(accessTokenClaimsSchema, {
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
    },
  });
  return { $schema, title: 'The claims of an access token of Gatehouse', ...schema } as Schema;
}

export const renderAccessTokenClaimsJsonSchema = (): string =>
  `${JSON.stringify(accessTokenClaimsJsonSchema(), null, 2)}\n`;

/** The TypeScript file of the package `@gatehouse/verify` with the type of the claims, and with their shape for checks. */
export function renderAccessTokenClaims(schema = accessTokenClaimsJsonSchema()): string {
  return [
    notice,
    '/** The claims of an access token (RFC 9068 §2.2). */',
    `export interface AccessTokenClaims ${objectType(schema)}`,
    '',
    '/** The same claims for checks at run time. A question mark means that the claim can be missing. */',
    `export const accessTokenShape = ${shapeOf(schema)} as const;`,
    '',
    '/** The levels of a sign-in (the claim `acr`), the lowest first. */',
    `export const acrLevels: readonly string[] = [${acrLevels.map((acr) => `\n  '${acr}',`).join('')}\n];`,
    '',
  ].join('\n');
}

const typeNames = Object.keys(eventCatalogue) as EventType[];
const eventSchemas = (): [name: string, schema: Schema][] =>
  typeNames.map((type) => [type, eventSchema(type) as Schema]);

/** The TypeScript file of the package `@gatehouse/verify` with the types of all events, and with their shapes for checks. */
export function renderEventTypes(events = eventSchemas()): string {
  const shapes = events.map(([type, { properties = {} }]) => {
    const { version, data } = properties;
    return `  '${type}': { version: ${version?.const}, data: ${shapeOf(data ?? {}, '  ')} },`;
  });
  const [[, { properties: { data: _, type: _type, version: _version, ...envelope } = {} }] = ['', {}]] =
    events;
  return [
    notice,
    ...events.map(
      ([type, schema]) => `${comment(schema)}export interface ${nameOf(type)} ${objectType(schema)}\n`,
    ),
    '/** Every event. Compare `type` to get the type of `data`. */',
    `export type GatehouseEvent =\n${events.map(([type]) => `  | ${nameOf(type)}`).join('\n')};`,
    '',
    '/** What all events have besides `type`, `version` and `data`, for checks at run time. */',
    `export const envelopeShape = ${shapeOf({ properties: envelope, required: Object.keys(envelope) })} as const;`,
    '',
    '/** The data of each type for checks at run time. A question mark means that the field can be missing. */',
    `export const eventShapes = {\n${shapes.join('\n')}\n} as const;`,
    '',
  ].join('\n');
}

/** `user.password_changed` becomes `UserPasswordChangedEvent`. */
const nameOf = (type: string) =>
  `${type.replace(/(?:^|[._])(\w)/g, (_, letter: string) => letter.toUpperCase())}Event`;

const comment = ({ description }: Schema, indent = '') =>
  description ? `${indent}/** ${capitalised(description)} */\n` : '';

const capitalised = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

function objectType({ properties = {}, required = [] }: Schema, indent = ''): string {
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(
    ([name, field]) =>
      `${comment(field, inner)}${inner}${name}${required.includes(name) ? '' : '?'}: ${typeOf(field, inner)};\n`,
  );
  return `{\n${fields.join('')}${indent}}`;
}

/** @throws Error for a schema that this file does not know yet: extend it, and the checks in the package */
function typeOf(schema: Schema, indent: string): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const).replaceAll('"', "'");
  if (schema.type === 'object') return objectType(schema, indent);
  return kindOf(schema);
}

function shapeOf({ properties = {}, required = [] }: Schema, indent = ''): string {
  const fields = Object.entries(properties).map(
    ([name, field]) => `${indent}  ${name}: '${kindOf(field)}${required.includes(name) ? '' : '?'}',\n`,
  );
  return `{\n${fields.join('')}${indent}}`;
}

function kindOf({ type, items }: Schema): string {
  if (type === 'array' && items?.type === 'string') return 'string[]';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string' || type === 'boolean' || type === 'object') return type;
  throw new Error(`No TypeScript type is known for the schema ${JSON.stringify({ type, items })}.`);
}

import { z } from 'zod';
import { type ErrorCode, errorStatus } from '../lib/errors.ts';
import type { EndpointDescription } from './endpoint.ts';
import { problem } from './schemas.ts';

const jsonSchema = (schema: z.ZodType) => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
};

/**
 * The OpenAPI 3.1 description of the JSON API. It is made from the same schemas that check the requests.
 * @param version the version of the API, as in package.json
 */
export function openApiDocument(
  endpoints: readonly EndpointDescription[],
  options: { issuer: string; version: string },
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const definition of endpoints) {
    paths[definition.path] = { ...paths[definition.path], [definition.method]: operation(definition) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Gatehouse', version: options.version },
    servers: [{ url: options.issuer }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(problem) },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operation(definition: EndpointDescription) {
  const { success, body, security } = definition;
  return {
    summary: definition.summary,
    description: definition.description,
    ...(security ? { security: [{ [security]: [] }] } : {}),
    ...(definition.parameters ? { parameters: definition.parameters } : {}),
    ...(body ? { requestBody: { required: true, content: json(jsonSchema(body)) } } : {}),
    responses: {
      [success.status]: {
        description: success.description,
        ...(success.headers ? { headers: described(success.headers) } : {}),
        ...(success.schema ? { content: json(jsonSchema(success.schema)) } : {}),
      },
      ...problemResponses(definition),
    },
  };
}

const described = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );

const json = (schema: object, type = 'application/json') => ({ [type]: { schema } });

const ofBody: ErrorCode[] = [
  'validation_failed',
  'invalid_json',
  'payload_too_large',
  'unsupported_media_type',
];

const ofAny: ErrorCode[] = ['store_unavailable'];

function problemResponses(definition: EndpointDescription) {
  const codes = new Set([
    ...definition.problems,
    ...(definition.body ? ofBody : []),
    ...ofAny,
  ] as ErrorCode[]);
  const statuses = [...new Set([...codes].map((code) => errorStatus[code]))];
  return Object.fromEntries(
    statuses.map((status) => {
      const told = [...codes].filter((code) => errorStatus[code] === status);
      const content = json({ $ref: '#/components/schemas/Problem' }, 'application/problem+json');
      return [status, { description: `A problem with the code ${told.join(' or ')}.`, content }];
    }),
  );
}

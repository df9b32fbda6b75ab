import { z } from 'zod';
import { clientDocumentSchema } from './client-document.ts';

const asText = (document: unknown) => `${JSON.stringify(document, null, 2)}\n`;

function clientSchema() {
  const { $schema, ...schema } = z.toJSONSchema(clientDocumentSchema, { io: 'input' });
  return { $schema, schema: { title: 'Gatehouse client document', ...schema } };
}

/** The schema of one client document, for schemas that contain it. */
export const clientDocumentJsonSchema = () => clientSchema().schema;

/**
 * Renders the JSON Schema (draft 2020-12) of one client document, for editors and CI. It does not contain the rules
 * between fields, for APIs and for URIs: `gatehouse clients validate` checks these.
 */
export function renderClientJsonSchema(): string {
  const { $schema, schema } = clientSchema();
  return asText({ $schema, ...schema });
}

/** Renders the JSON Schema of a whole clients file. It refers to no other file. */
export function renderClientsFileJsonSchema(): string {
  const { $schema, schema } = clientSchema();
  return asText({
    $schema,
    title: 'Gatehouse clients file',
    type: 'object',
    properties: { clients: { type: 'array', items: schema, description: 'All clients of this file.' } },
    required: ['clients'],
    additionalProperties: false,
  });
}

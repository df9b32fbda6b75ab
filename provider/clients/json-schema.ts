import { z } from 'zod';
import { clientDocumentSchema } from './client-document.ts';

const asText = (document: unknown) => `${JSON.stringify(document, null, 2)}\n`;

function clientSchema() {
  const { $schema, ...schema } = z.toJSONSchema(clientDocumentSchema, { io: 'input' });
  return { $schema, schema: { title: 'Gatehouse client document', ...schema } };
}

/**
 * The JSON Schema (draft 2020-12) of a client document as it is written, for editors and CI. It says less than
 * the checks do: rules between fields, APIs and URI forms are left to `gatehouse clients validate`.
 */
export function renderClientJsonSchema(): string {
  const { $schema, schema } = clientSchema();
  return asText({ $schema, ...schema });
}

/** The same for a file of them, complete in itself: an editor that has this one needs no other. */
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

import { z } from 'zod';
import { clientDocumentSchema } from './client-document.ts';

/**
 * The JSON Schema (draft 2020-12) of a client document as it is written, for editors and CI. It says less than
 * the checks do: rules between fields, APIs and URI forms are left to `gatehouse clients validate`.
 */
export function renderClientJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(clientDocumentSchema, { io: 'input' });
  const document = {
    $schema,
    title: 'Gatehouse client document',
    ...schema,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

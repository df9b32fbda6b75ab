import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { clientDocumentSchema } from '../../provider/clients/client-document.ts';
import { renderClientJsonSchema, renderClientsFileJsonSchema } from '../../provider/clients/json-schema.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { problemsOf } from './client-documents.ts';

const schema = JSON.parse(renderClientJsonSchema());

test('has exactly the fields of a document', () => {
  expect(Object.keys(schema.properties)).toEqual(Object.keys(clientDocumentSchema.shape));
  expect(schema.additionalProperties).toBe(false);
});

test('requires only fields without a default', () => {
  expect(schema.required).toEqual(['id', 'name']);
});

test('describes the document before parsing, not after', () => {
  expect(schema.properties.grants).toMatchObject({
    type: 'array',
    items: { enum: expect.arrayContaining(['device_code']) },
  });
  expect(schema.properties.scopes).toMatchObject({ type: 'array', default: [] });
  expect(schema.properties.secrets).toMatchObject({ type: 'array', maxItems: 2 });
});

test('names its JSON Schema draft first', () => {
  expect(Object.keys(schema)[0]).toBe('$schema');
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
});

describe('the schema of the whole file', () => {
  const file = JSON.parse(renderClientsFileJsonSchema());
  const accepts = (value: unknown) => z.fromJSONSchema(file).safeParse(value).success;
  /** The example of docs/clients.md. */
  const page = readFileSync(join(packageRoot, 'docs', 'clients.md'), 'utf8');
  const examples = [...page.matchAll(/```yaml\n(clients:\n[\s\S]*?)```/g)].map(([, text]) =>
    parse(text ?? ''),
  );
  const [example] = examples;
  const [client] = example.clients;

  test('refers to no other file', () => {
    expect(JSON.stringify(file)).not.toContain('"$ref"');
    const { $schema, ...one } = schema;
    expect([file.$schema, file.properties.clients.items]).toEqual([$schema, one]);
  });

  test('accepts the documented examples, and an empty list', () => {
    expect(example.clients.length).toBeGreaterThan(2);
    expect(examples.length).toBeGreaterThan(2);
    expect(examples.map(accepts)).toEqual(examples.map(() => true));
    for (const { clients } of examples)
      for (const document of clients) expect([document.id, ...problemsOf(document)]).toEqual([document.id]);
    expect(accepts({ clients: [] })).toBe(true);
  });

  test.each([
    ['nothing', {}],
    ['a client without the list', client],
    ['a list only', example.clients],
    ['another key beside the list', { ...example, apis: [] }],
    ['a client with a misspelt field', { clients: [{ ...client, redirectUri: [] }] }],
    ['a client without an id', { clients: [{ name: 'The Shop' }] }],
    ['an unknown grant', { clients: [{ ...client, grants: ['implicit'] }] }],
  ])('refuses %s', (_, value) => {
    expect(accepts(value)).toBe(false);
  });
});

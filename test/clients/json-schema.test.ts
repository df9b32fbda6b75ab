import { expect, test } from '@jest/globals';
import { clientDocumentSchema } from '../../provider/clients/client-document.ts';
import { renderClientJsonSchema } from '../../provider/clients/json-schema.ts';

const schema = JSON.parse(renderClientJsonSchema());

test('names every field, and no other', () => {
  expect(Object.keys(schema.properties)).toEqual(Object.keys(clientDocumentSchema.shape));
  expect(schema.additionalProperties).toBe(false);
});

test('asks only for what has no default', () => {
  expect(schema.required).toEqual(['id', 'name']);
});

test('shows what is written, not what is made of it', () => {
  expect(schema.properties.grants).toMatchObject({
    type: 'array',
    items: { enum: expect.arrayContaining(['device_code']) },
  });
  expect(schema.properties.scopes).toMatchObject({ type: 'array', default: [] });
  expect(schema.properties.secrets).toMatchObject({ type: 'array', maxItems: 2 });
});

test('says which draft it is, first', () => {
  expect(Object.keys(schema)[0]).toBe('$schema');
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
});

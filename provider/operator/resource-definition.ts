import { stringify } from 'yaml';
import { operatorFieldsJsonSchema } from './operator-fields.ts';
import { fieldValidations, resourceValidations, specValidations, type Validation } from './validations.ts';

/** A JSON Schema, as far as this file uses it. */
export interface JsonSchema {
  [keyword: string]: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  required?: string[];
}

export const resourceGroup = 'gatehouse.dev';
export const resourceVersion = 'v1alpha1';
export const resourceKind = 'OIDCClient';
export const resourcePlural = 'oidcclients';

/** Keywords that a structural schema must not have, or that the API server would act on by writing into the spec. */
const leftOut = new Set(['default', 'additionalProperties', '$schema', 'title']);

/** The longest text where the client document has no bound: the API server needs one to compute the cost of a rule. */
const longestText = 4096;

/** Members that a JWK may have and that the client document does not read (RFC 7517 §4). */
const otherKeyMembers = ['x5u', 'x5t', 'x5t#S256'];

/**
 * Turns a JSON Schema into a structural schema, which the API server accepts: no defaults, one type for each value. The
 * API server removes unknown fields itself and refuses them with `kubectl apply`.
 */
function structural(schema: JsonSchema): JsonSchema {
  if (schema.oneOf !== undefined) return mergedVariants(schema);
  const kept: JsonSchema = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (!leftOut.has(keyword)) kept[keyword] = value;
  }
  if (schema.type === 'string') bound(kept);
  if (schema.allOf !== undefined) kept.allOf = (schema.allOf as JsonSchema[]).map(withoutType);
  if (schema.items !== undefined) kept.items = structural(schema.items);
  if (schema.properties !== undefined) kept.properties = mapValues(schema.properties, structural);
  return kept;
}

function bound(schema: JsonSchema): void {
  if (schema.const !== undefined) {
    schema.enum = [schema.const];
    schema.const = undefined;
  }
  // The API server checks dates by their format. The pattern would only be a message that no person can read.
  if (schema.format === 'date-time') schema.pattern = undefined;
  if (schema.enum === undefined) schema.maxLength ??= longestText;
}

function withoutType({ type: _type, ...rest }: JsonSchema): JsonSchema {
  return rest;
}

function mapValues<Value>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value, key: string) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

/**
 * One object with the fields of all variants. A structural schema can't have variants with fields of their own. Of public
 * keys it leaves out private members, so the API server never stores them.
 */
function mergedVariants(schema: JsonSchema): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const variants = schema.oneOf as JsonSchema[];
  for (const [name, of] of variants.flatMap((variant) => Object.entries(variant.properties ?? {}))) {
    const known = properties[name];
    const next = structural(of);
    const words = [known?.enum, next.enum].filter(Array.isArray).flat();
    properties[name] = known?.enum === undefined ? next : { ...known, enum: [...new Set(words)] };
  }
  const text = { type: 'string', maxLength: longestText };
  for (const name of otherKeyMembers) properties[name] ??= text;
  properties.key_ops ??= { type: 'array', maxItems: 10, items: text };
  const required = variants
    .map((variant) => variant.required ?? [])
    .reduce((all, next) => all.filter((name) => next.includes(name)));
  return { type: 'object', properties, required };
}

function validated(schema: JsonSchema, rules: readonly Validation[]): JsonSchema {
  if (rules.length === 0) return schema;
  if (schema.type === 'array' && schema.items !== undefined)
    return { ...schema, items: validated(schema.items, rules) };
  return { ...schema, 'x-kubernetes-validations': rules };
}

function specSchema(document: JsonSchema): JsonSchema {
  const { properties = {}, required = [] } = structural(document);
  const fields = { ...properties, ...structural(operatorFieldsJsonSchema() as JsonSchema).properties };
  // A reference is read by the servers: a namespace could look into their files and environment with it.
  const { ref: _ref, ...secretFields } = fields.secrets?.items?.properties ?? {};
  fields.secrets = {
    ...fields.secrets,
    items: { ...fields.secrets?.items, properties: secretFields, required: ['sha256'] },
  };
  fields.id = {
    ...fields.id,
    description:
      'The client id; if left out, the namespace, a dot and the name of the resource. It must not change.',
  };
  return {
    type: 'object',
    description: 'A client document. docs/clients.md describes its fields.',
    properties: mapValues(fields, (schema, name) => validated(schema, fieldValidations(name))),
    required: required.filter((name) => name !== 'id'),
    'x-kubernetes-validations': specValidations,
  };
}

const condition: JsonSchema = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string' },
    message: { type: 'string' },
    observedGeneration: { type: 'integer', format: 'int64' },
    lastTransitionTime: { type: 'string', format: 'date-time' },
  },
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
};

const status: JsonSchema = {
  type: 'object',
  properties: {
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      description: 'The generation of the spec that the conditions are about.',
    },
    clientId: { type: 'string', description: 'The client id that apps use.' },
    secretName: { type: 'string', description: 'The Secret that holds the client secret.' },
    nextRotation: {
      type: 'string',
      format: 'date-time',
      description: 'When the generated secret is replaced.',
    },
    conditions: {
      type: 'array',
      items: condition,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
  },
};

const column = (name: string, jsonPath: string, type = 'string', priority = 0) => ({
  name,
  type,
  jsonPath,
  priority,
});

const ofReady = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`;

/** Kubernetes' CustomResourceDefinition of `OIDCClient`. @param document the JSON Schema of a client document */
export function resourceDefinition(document: JsonSchema): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resourcePlural}.${resourceGroup}` },
    spec: {
      group: resourceGroup,
      scope: 'Namespaced',
      names: {
        kind: resourceKind,
        listKind: `${resourceKind}List`,
        plural: resourcePlural,
        singular: 'oidcclient',
        shortNames: ['oc'],
      },
      versions: [
        {
          name: resourceVersion,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            column('Client ID', '.status.clientId'),
            column('Ready', ofReady('status')),
            column('Reason', ofReady('reason')),
            column('Secret', '.status.secretName', 'string', 1),
            column('Message', ofReady('message'), 'string', 1),
            column('Age', '.metadata.creationTimestamp', 'date'),
          ],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'An app that signs people in with Gatehouse.',
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: specSchema(document),
                status,
              },
              required: ['spec'],
              'x-kubernetes-validations': resourceValidations,
            },
          },
        },
      ],
    },
  };
}

/** The definition as YAML, for `kubectl apply` and for the chart. */
export const renderResourceDefinition = (document: object): string =>
  `# Generated by \`npm run generate\` from the schema of client documents. Do not edit.\n${stringify(
    resourceDefinition(document as JsonSchema),
    { lineWidth: 0, aliasDuplicateObjects: false },
  )}`;

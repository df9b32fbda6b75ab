import { z } from 'zod';

export type JsonSchema = Record<string, unknown>;

const schema = z.record(z.string(), z.unknown());
const content = z.record(
  z.string().regex(/^[\w.+-]+\/[\w.+-]+$/, 'must be a media type'),
  z.strictObject({ schema }),
);

const parameter = z.strictObject({
  name: z.string().min(1),
  in: z.literal('query'),
  description: z.string().min(1),
  required: z.boolean(),
  schema,
});

const header = z.strictObject({ description: z.string().min(1), schema });

const operation = z.strictObject({
  summary: z.string().min(1),
  description: z.string().min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z.array(parameter).optional(),
  requestBody: z.strictObject({ required: z.literal(true), content }).optional(),
  responses: z
    .record(
      z.string().regex(/^[1-5]\d\d$/, 'must be a status'),
      z.strictObject({
        description: z.string().min(1),
        headers: z.record(z.string().regex(/^[\w-]+$/), header).optional(),
        content: content.optional(),
      }),
    )
    .refine((responses) => Object.keys(responses).some((status) => status.startsWith('2')), 'lacks success'),
});

/**
 * The fields of OpenAPI 3.1 (§4) that Gatehouse uses. Any other field is a mistake. Schema Objects are checked
 * separately, because in 3.1 they are JSON Schema 2020-12.
 */
const openApi = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d+$/),
  info: z.strictObject({ title: z.string().min(1), version: z.string().min(1) }),
  servers: z.array(z.strictObject({ url: z.url() })).min(1),
  paths: z.record(
    z.string().startsWith('/'),
    z.strictObject({ get: operation.optional(), post: operation.optional() }),
  ),
  components: z.strictObject({
    schemas: z.record(z.string().regex(/^[\w.-]+$/), schema),
    securitySchemes: z.record(
      z.string().regex(/^[\w.-]+$/),
      z.strictObject({
        type: z.literal('http'),
        scheme: z.literal('bearer'),
        bearerFormat: z.string().optional(),
      }),
    ),
  }),
});

export type OpenApiDocument = z.infer<typeof openApi>;
export type Operation = z.infer<typeof operation>;

/** The keywords of JSON Schema 2020-12 that the API's description uses. */
const keywords = new Set(
  `$ref type properties required additionalProperties items maxItems minLength maxLength minimum maximum const enum
  description format pattern anyOf`.split(/\s+/),
);

/** The problems of a document, each with its place. Empty if it is valid. */
export function openApiProblems(document: unknown): string[] {
  const parsed = openApi.safeParse(document);
  if (!parsed.success)
    return parsed.error.issues.map(({ path, message }) => `/${path.map(String).join('/')}: ${message}`);
  return [...referenceProblems(parsed.data), ...schemasIn(document).flatMap(schemaProblems)];
}

/** Every operation with its place. */
export function operationsOf(document: OpenApiDocument) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, one]) => ({ path, method, operation: one as Operation })),
  );
}

/** The one schema of a content. */
export function schemaOf(described: z.infer<typeof content>): JsonSchema {
  const [first] = Object.values(described);
  if (!first) throw new Error('a content without a media type');
  return first.schema;
}

function referenceProblems(document: OpenApiDocument): string[] {
  const names = new Set(
    Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`),
  );
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"(?<target>[^"]*)"/g)];
  const dangling = references
    .map(({ groups }) => groups?.target ?? '')
    .filter((target) => !names.has(target));
  const schemes = operationsOf(document).flatMap(({ operation: { security = [] } }) =>
    security.flatMap((one) => Object.keys(one)),
  );
  const unknown = schemes.filter((scheme) => !(scheme in document.components.securitySchemes));
  return [...dangling, ...unknown].map((name) => `${name} is nowhere defined`);
}

function schemasIn(node: unknown): JsonSchema[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => {
    if (name === 'schema') return [value as JsonSchema];
    return name === 'schemas' ? (Object.values(value as object) as JsonSchema[]) : schemasIn(value);
  });
}

function schemaProblems(node: JsonSchema): string[] {
  const odd = Object.keys(node).filter((name) => !keywords.has(name));
  const properties = Object.entries((node.properties ?? {}) as Record<string, JsonSchema>);
  const required = (node.required ?? []) as string[];
  const missing = required.filter((name) => !properties.some(([known]) => known === name));
  const below = [...properties.map(([, one]) => one), node.items, ...((node.anyOf ?? []) as unknown[])];
  return [
    ...odd.map((name) => `unknown keyword ${name}`),
    ...missing.map((name) => `required ${name} has no schema`),
    ...below.filter((one) => one !== undefined).flatMap((one) => schemaProblems(one as JsonSchema)),
  ];
}

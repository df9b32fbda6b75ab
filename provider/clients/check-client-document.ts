import type { z } from 'zod';
import { nearMiss } from '../lib/near-miss.ts';
import { checkAcrossFields, type DocumentProblem, type ReadableFields } from './client-checks.ts';
import { type ClientDocument, clientDocumentSchema } from './client-document.ts';

type CheckedDocument =
  | { ok: true; document: ClientDocument }
  | { ok: false; fields: ReadableFields; problems: DocumentProblem[] };

const topLevelFields = Object.keys(clientDocumentSchema.shape);

// The names that RFC 7591 and other servers use for the same fields.
const otherNames = new Map(
  Object.entries({
    client_id: 'id',
    clientId: 'id',
    client_name: 'name',
    clientName: 'name',
    grant_types: 'grants',
    token_endpoint_auth_method: 'auth',
    client_secret: 'secrets',
    secret: 'secrets',
    public: 'auth',
    trusted: 'firstParty',
    allowed_cors_origins: 'origins',
    audience: 'defaultResource',
    disabled: 'enabled',
    requirePar: 'requirePushedAuthorizationRequests',
  }),
);

const otherNamesOfSecret = new Map(Object.entries({ expiresAt: 'notAfter', expires: 'notAfter' }));

/** What other servers have and Gatehouse does not, with the reason (docs/clients.md, 'What a client cannot have'). */
const notSupported = new Map(
  Object.entries({
    subjectType:
      'is not supported: every client gets the same sub for a person, because APIs know accounts by it. Remove it',
    sectorIdentifierUri:
      'is not supported: it is for subjects that differ by client, and every client gets the same sub for a person. Remove it',
    requestUris:
      'is not supported: request_uri is only for pushed requests (RFC 9126). Remove it, and push the request to /oauth2/par',
  }).flatMap(([name, reason]) => [
    [name, reason] as const,
    [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), reason] as const,
  ]),
);

const kinds: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a map of fields',
  string: 'text',
};

const pointer = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

function knownFields(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return topLevelFields;
  return path[0] === 'secrets' ? ['ref', 'sha256', 'notAfter'] : ['keys'];
}

function unknownField(name: string, path: readonly PropertyKey[]): DocumentProblem {
  const known = knownFields(path);
  const isOfSecret = path[0] === 'secrets';
  const others = isOfSecret ? otherNamesOfSecret : otherNames;
  const refused = path.length === 0 ? notSupported.get(name) : undefined;
  if (refused !== undefined) return { path: pointer([name]), message: refused };
  const similar = (path.length === 0 || isOfSecret ? others.get(name) : undefined) ?? nearMiss(name, known);
  const hint = similar ? `did you mean "${similar}"?` : `known are ${known.join(', ')}`;
  const secret = isOfSecret ? '; a secret itself is never written here' : '';
  // A secret that was written in braces, where its reference belongs, is the name of a field.
  if (isOfSecret && similar === undefined)
    return { path: pointer(path), message: `has a field that is not known: ${hint}${secret}` };
  return { path: pointer([...path, name]), message: `is not a field of a client document: ${hint}${secret}` };
}

function fromIssue(issue: z.core.$ZodIssue): DocumentProblem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownField(name, issue.path));
  const path = pointer(issue.path);
  if (issue.code !== 'invalid_type') return [{ path, message: issue.message }];
  const expected = kinds[issue.expected] ?? `of type ${issue.expected}`;
  const missing = issue.message.endsWith('received undefined');
  return [{ path, message: missing ? `is missing: it must be ${expected}` : `must be ${expected}` }];
}

/**
 * Reads each field separately, so that the rules between valid fields are checked even when other fields are not valid.
 */
function readableFields(value: unknown): ReadableFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const given = value as Record<string, unknown>;
  const fields: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(clientDocumentSchema.shape)) {
    fields[name] = schema.safeParse(Object.hasOwn(given, name) ? given[name] : undefined).data;
  }
  return fields as ReadableFields;
}

/**
 * Checks one client document as a person wrote it, without comparing it with others. No message repeats a value that
 * could be a secret.
 *
 * @returns the document with its defaults filled in, or all its problems and the fields that could be read
 */
export function checkClientDocument(value: unknown): CheckedDocument {
  const parsed = clientDocumentSchema.safeParse(value);
  const fields = parsed.success ? parsed.data : readableFields(value);
  const issues = parsed.success ? [] : parsed.error.issues;
  const unreadable = new Set(issues.map(({ path }) => String(path[0])));
  const problems = [...issues.flatMap(fromIssue), ...checkAcrossFields(fields, unreadable)];
  if (parsed.success && problems.length === 0) return { ok: true, document: parsed.data };
  return { ok: false, fields, problems };
}

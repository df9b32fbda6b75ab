import type { KnownClaims } from '../config/token-budget.ts';
import { nearMiss } from '../lib/near-miss.ts';
import { protocolScopes } from '../lib/oidc-scopes.ts';
import type { RawClientDocument } from '../ports/client-source.ts';
import { checkClientDocument } from './check-client-document.ts';
import type { DocumentProblem, ReadableFields } from './client-checks.ts';
import type { ClientDocument } from './client-document.ts';

/** The parts of an API that documents may refer to. */
export interface KnownApi {
  audience: string;
  scopes: readonly string[];
}

/** A checked document and its place in the source. */
export interface LocatedDocument {
  /** The place for error messages: a file and line, or a resource's namespace and name. */
  origin: string;
  document: ClientDocument;
}

export interface ClientProblem extends DocumentProblem {
  /** The place of the document in its source. */
  origin: string;
  /** Undefined when the document has no readable id. */
  clientId: string | undefined;
}

/** The documents without a problem, with their defaults filled in, and all problems of the others. */
type ParsedDocuments =
  | { ok: true; documents: LocatedDocument[] }
  | { ok: false; documents: LocatedDocument[]; problems: ClientProblem[] };

function unknownName(kind: string, name: string, known: readonly string[]): string {
  const similar = nearMiss(name, known);
  const hint =
    similar === undefined ? `known are ${known.join(', ') || 'none'}` : `did you mean "${similar}"?`;
  return `no API defines the ${kind} "${name}": ${hint}`;
}

function checkApis(fields: ReadableFields, apis: readonly KnownApi[]): DocumentProblem[] {
  const audiences = apis.map((api) => api.audience);
  const scopes = [...protocolScopes, ...apis.flatMap((api) => api.scopes)];
  const problems: DocumentProblem[] = [];
  const check = (path: string, kind: string, name: string, known: readonly string[]) => {
    if (!known.includes(name)) problems.push({ path, message: unknownName(kind, name, known) });
  };
  for (const [index, scope] of (fields.scopes ?? []).entries()) {
    check(`/scopes/${index}`, 'scope', scope, scopes);
  }
  for (const [index, name] of (fields.introspects ?? []).entries()) {
    check(`/introspects/${index}`, 'audience', name, audiences);
  }
  if (fields.defaultResource !== undefined) {
    check('/defaultResource', 'audience', fields.defaultResource, audiences);
  }
  return problems;
}

function checkClaims({ idTokenClaims = [], scopes }: ReadableFields, claims: KnownClaims): DocumentProblem[] {
  const problems = idTokenClaims.flatMap((name, index): DocumentProblem[] => {
    const path = `/idTokenClaims/${index}`;
    const scope = claims.scopeOf(name);
    if (scope === undefined) {
      const similar = nearMiss(name, claims.names);
      const hint =
        similar === undefined ? `known are ${claims.names.join(', ')}` : `did you mean "${similar}"?`;
      return [{ path, message: `there is no claim "${name}" about a person: ${hint}` }];
    }
    if (scopes === undefined || scopes.includes(scope)) return [];
    return [
      { path, message: `"${name}" belongs to the scope ${scope}: add it to scopes, or remove the claim` },
    ];
  });
  const bytes = claims.idTokenBytes(idTokenClaims.filter((name) => claims.scopeOf(name) !== undefined));
  if (bytes > claims.idTokenBudgetBytes) {
    const message = `are too much for one token: an id token could have ${bytes} bytes, and more than ${claims.idTokenBudgetBytes} don't fit through the headers of gateways. List fewer claims: userinfo has them all`;
    problems.push({ path: '/idTokenClaims', message });
  }
  return problems;
}

/** The settings of the server that restrict client documents. */
export interface DocumentSettings {
  /** The claims about a person, those of the configuration included. */
  claims: KnownClaims;
  /** Whether the device flow (RFC 8628) is on. */
  deviceFlow: boolean;
}

function checkSettings(
  { grants }: ReadableFields,
  { deviceFlow }: Pick<DocumentSettings, 'deviceFlow'>,
): DocumentProblem[] {
  const index = grants?.indexOf('device_code') ?? -1;
  if (index < 0 || deviceFlow) return [];
  const message = 'device_code is off here: set GATEHOUSE_DEVICE_FLOW=true, or remove it';
  return [{ path: `/grants/${index}`, message }];
}

/**
 * Checks all documents of one source: each document by itself, against the APIs and settings, and against the others.
 *
 * @returns `ok` when no document has a problem
 */
export function parseClientDocuments(
  raw: readonly RawClientDocument[],
  apis: readonly KnownApi[],
  settings: DocumentSettings,
): ParsedDocuments {
  const documents: LocatedDocument[] = [];
  const problems: ClientProblem[] = [];
  const firstOrigins = new Map<string, string>();
  for (const { origin, value } of raw) {
    const checked = checkClientDocument(value);
    const fields = checked.ok ? checked.document : checked.fields;
    const clientId = fields.id;
    const found = [
      ...(checked.ok ? [] : checked.problems),
      ...checkApis(fields, apis),
      ...checkClaims(fields, settings.claims),
      ...checkSettings(fields, settings),
    ];
    const first = clientId === undefined ? undefined : firstOrigins.get(clientId);
    if (first !== undefined) {
      found.push({
        path: '/id',
        message: `is taken: ${first} defines the same client. Remove one of the two`,
      });
    } else if (clientId !== undefined) {
      firstOrigins.set(clientId, origin);
    }
    problems.push(...found.map((problem) => ({ origin, clientId, ...problem })));
    if (checked.ok && found.length === 0) documents.push({ origin, document: checked.document });
  }
  return problems.length === 0 ? { ok: true, documents } : { ok: false, documents, problems };
}

/** Gives a problem as one line of text: the place, the client, the field, and what to do. */
export function describeClientProblem({ origin, clientId, path, message }: ClientProblem): string {
  const client = clientId === undefined ? 'a client without a valid id' : `client ${clientId}`;
  return `${origin}: ${client}: ${path === '' ? 'the document' : path} ${message}`;
}

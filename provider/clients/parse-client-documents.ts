import { nearMiss } from '../lib/near-miss.ts';
import { protocolScopes } from '../lib/oidc-scopes.ts';
import type { RawClientDocument } from '../ports/client-source.ts';
import { checkClientDocument } from './check-client-document.ts';
import type { DocumentProblem, ReadableFields } from './client-checks.ts';
import type { ClientDocument } from './client-document.ts';

/** What must be known of an API to check the documents that name it. */
export interface KnownApi {
  audience: string;
  scopes: readonly string[];
}

export interface ParsedClient {
  origin: string;
  document: ClientDocument;
}

export interface ClientProblem extends DocumentProblem {
  /** Where the document stands. */
  origin: string;
  /** Undefined when the document has no readable id. */
  clientId: string | undefined;
}

export type ParsedClients = { ok: true; clients: ParsedClient[] } | { ok: false; problems: ClientProblem[] };

function unknownName(kind: string, name: string, known: readonly string[]): string {
  const meant = nearMiss(name, known);
  const hint = meant === undefined ? `known are ${known.join(', ') || 'none'}` : `did you mean "${meant}"?`;
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

/** What the server's settings make of a document. */
export interface DocumentSettings {
  /** Whether the device flow is on. */
  deviceFlow: boolean;
}

function checkSettings({ grants }: ReadableFields, { deviceFlow }: DocumentSettings): DocumentProblem[] {
  const index = grants?.indexOf('device_code') ?? -1;
  if (index < 0 || deviceFlow) return [];
  const message = 'device_code is off here: set GATEHOUSE_DEVICE_FLOW=true, or remove it';
  return [{ path: `/grants/${index}`, message }];
}

/**
 * Checks all documents of one source, each by itself, against the APIs and settings, and against each other.
 * Gives all of them, or everything that is wrong with any of them.
 */
export function parseClientDocuments(
  raw: readonly RawClientDocument[],
  apis: readonly KnownApi[],
  settings: DocumentSettings,
): ParsedClients {
  const clients: ParsedClient[] = [];
  const problems: ClientProblem[] = [];
  const firstOrigins = new Map<string, string>();
  for (const { origin, value } of raw) {
    const checked = checkClientDocument(value);
    const fields = checked.ok ? checked.document : checked.fields;
    const clientId = fields.id;
    const found = [
      ...(checked.ok ? [] : checked.problems),
      ...checkApis(fields, apis),
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
    if (checked.ok) clients.push({ origin, document: checked.document });
  }
  return problems.length === 0 ? { ok: true, clients } : { ok: false, problems };
}

/** One line for a person: where, which client, which field, what to do. */
export function describeClientProblem({ origin, clientId, path, message }: ClientProblem): string {
  const client = clientId === undefined ? 'a client without a valid id' : `client ${clientId}`;
  return `${origin}: ${client}: ${path === '' ? 'the document' : path} ${message}`;
}

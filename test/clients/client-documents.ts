import { createHash } from 'node:crypto';
import type { ClientDocument } from '../../provider/clients/client-document.ts';
import {
  type DocumentSettings,
  parseClientDocuments,
} from '../../provider/clients/parse-client-documents.ts';
import { knownClaims } from '../../provider/config/token-budget.ts';

export const apis = [{ audience: 'https://api.example.com', scopes: ['contracts:read', 'contracts:write'] }];

/** Two roles, and the claim `department` from the metadata of accounts, under the scope `profile`. */
export const claims = knownClaims(
  {
    apis: [],
    roles: { ADMIN: [], CLIENT: [] },
    claims: [{ name: 'department', field: 'dept', scope: 'profile' }],
  },
  'https://login.example.com',
);

export const settings: DocumentSettings = { deviceFlow: true, claims };

/** SHA-256 of `a-secret`, in hex. */
export const secretHash = createHash('sha256').update('a-secret').digest('hex');

/** The document of a confidential web client with the given changes. Undefined removes a field. */
export function webClient(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const fields = {
    id: 'web',
    name: 'Web',
    secrets: [{ sha256: secretHash }],
    redirectUris: ['https://app.example.com/callback'],
    scopes: ['openid', 'profile'],
    ...changes,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The same document as a public client, without a secret. */
export const publicClient = (changes: Record<string, unknown> = {}): Record<string, unknown> =>
  webClient({ auth: 'none', secrets: undefined, ...changes });

/** All problems of a document as `path: message`. Empty if it is valid. */
export function problemsOf(value: unknown): string[] {
  const parsed = parseClientDocuments([{ origin: 'clients.yaml:1', value }], apis, settings);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

/** The document with its defaults. Throws if the document is invalid. */
export function documentOf(value: unknown): ClientDocument {
  const parsed = parseClientDocuments([{ origin: 'clients.yaml:1', value }], apis, settings);
  const document = parsed.ok ? parsed.documents[0]?.document : undefined;
  if (document === undefined) throw new Error(problemsOf(value).join('\n'));
  return document;
}

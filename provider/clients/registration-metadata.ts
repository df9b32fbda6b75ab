import { deviceCodeGrant } from '../lib/device-code-grant.ts';
import { protocolScopes } from '../lib/oidc-scopes.ts';
import { parseUrl } from '../lib/parse-url.ts';
import type { ClientDocument } from './client-document.ts';
import { type DocumentSettings, type KnownApi, parseClientDocuments } from './parse-client-documents.ts';

/** Client metadata as a client sent or published it (RFC 7591 §2), not checked yet. */
export type ClientMetadata = Readonly<Record<string, unknown>>;

/** What clients that register themselves may be. */
export interface RegistrationRules extends DocumentSettings {
  /** GATEHOUSE_SELF_REGISTERED_SCOPES. */
  scopes: readonly string[];
  /** GATEHOUSE_REGISTRATION_PKCE. It does not apply to metadata that a client publishes for all servers. */
  pkce: ClientDocument['pkce'];
  apis: readonly KnownApi[];
}

export interface RegistrationOptions {
  /** The id of the client. A URL is allowed. */
  id: string;
  /** The client's name where its metadata have none. */
  name: string;
  auth: readonly ClientDocument['auth'][];
  /**
   * Metadata that a client publishes for all servers may list grants and response types that this server does not have.
   * They are left out. Metadata that were sent to this server are refused with them.
   */
  isForAllServers: boolean;
}

export interface MetadataProblem {
  /** The name of the field (RFC 7591 §2), with a JSON Pointer into it where there is more to say. */
  field: string;
  message: string;
}

type Checked = { ok: true; document: ClientDocument } | { ok: false; problems: MetadataProblem[] };

/** Fields with the same meaning and form in a client document. All others are ignored (RFC 7591 §2) or read below. */
const sameFields = {
  client_name: 'name',
  redirect_uris: 'redirectUris',
  post_logout_redirect_uris: 'postLogoutRedirectUris',
  jwks: 'jwks',
  jwks_uri: 'jwksUri',
  logo_uri: 'logoUri',
  client_uri: 'clientUri',
  policy_uri: 'policyUri',
  tos_uri: 'tosUri',
  initiate_login_uri: 'initiateLoginUri',
  backchannel_logout_uri: 'backchannelLogoutUri',
  dpop_bound_access_tokens: 'dpopBoundAccessTokens',
  require_pushed_authorization_requests: 'requirePushedAuthorizationRequests',
} as const;

const otherFields = {
  token_endpoint_auth_method: 'auth',
  grant_types: 'grants',
  application_type: 'applicationType',
  scope: 'scopes',
} as const;

const fieldNames: readonly (readonly [string, string])[] = Object.entries({ ...sameFields, ...otherFields });

/** Scopes that have a meaning only together with `openid`. */
const claimScopes: readonly string[] = protocolScopes;

/** RFC 7592 §2.2: null and an empty text mean that the field is left out. */
const given = (metadata: ClientMetadata, name: string): unknown => {
  const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
  return value === null || value === '' ? undefined : value;
};

const texts = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;

const problem = (field: string, message: string): MetadataProblem => ({ field, message });

/**
 * The type of an application whose metadata don't name it. RFC 7591 has no such field, and apps on a device leave it out.
 * Their redirect URIs show what they are. A native app may use any port of this machine (RFC 8252 §7.3).
 */
function applicationType(redirectUris: readonly string[]): ClientDocument['applicationType'] {
  return redirectUris.every((uri) => uri.startsWith('https:')) ? 'web' : 'native';
}

/** The origins from which a public client in a browser calls: those of its web pages that people return to. */
function originsOf(redirectUris: readonly string[]): string[] {
  const pages = redirectUris.filter((uri) => /^https?:/.test(uri) && parseUrl(uri) !== undefined);
  return [...new Set(pages.map((uri) => new URL(uri).origin))];
}

function grantsOf(
  metadata: ClientMetadata,
  { deviceFlow }: RegistrationRules,
  { isForAllServers }: RegistrationOptions,
): { grants: unknown; problems: MetadataProblem[] } {
  // RFC 7591 §2: a client that does not say uses the code grant alone.
  const asked = given(metadata, 'grant_types') ?? ['authorization_code'];
  const names = texts(asked);
  const known = ['authorization_code', 'refresh_token', ...(deviceFlow ? [deviceCodeGrant] : [])];
  if (names === undefined) return { grants: asked, problems: [] };
  const grants = names.filter((name) => known.includes(name));
  if (isForAllServers || grants.length === names.length) return { grants, problems: [] };
  const message = `has a grant that clients which register themselves may not use: possible are ${known.join(', ')}`;
  return { grants, problems: [problem('grant_types', message)] };
}

function responseTypeProblems(metadata: ClientMetadata, isForAllServers: boolean): MetadataProblem[] {
  const types = texts(given(metadata, 'response_types') ?? ['code']);
  if (types === undefined) return [problem('response_types', 'must be a list of texts')];
  const isGood = isForAllServers
    ? types.length === 0 || types.includes('code')
    : types.every((type) => type === 'code');
  return isGood ? [] : [problem('response_types', 'must be ["code"]: there is no other response type')];
}

/** Values that change what the client would have to do with a response: they are refused, never ignored. */
function unsupportedProblems(metadata: ClientMetadata): MetadataProblem[] {
  const problems: MetadataProblem[] = [];
  const only = (field: string, value: string) => {
    const asked = given(metadata, field);
    if (asked !== undefined && asked !== value) problems.push(problem(field, `must be ${value} or left out`));
  };
  only('subject_type', 'public');
  only('id_token_signed_response_alg', 'RS256');
  const never = [
    ...['id_token_encrypted_response_alg', 'userinfo_signed_response_alg', 'userinfo_encrypted_response_alg'],
    ...['authorization_signed_response_alg', 'authorization_encrypted_response_alg'],
    'tls_client_certificate_bound_access_tokens',
  ];
  for (const field of never) {
    const asked = given(metadata, field);
    if (asked !== undefined && asked !== false)
      problems.push(problem(field, 'is not supported: leave it out'));
  }
  // Gatehouse opens this URL itself. Where it leads is checked again at each request (oidc/outgoing-requests.ts).
  const logoutUri = given(metadata, 'backchannel_logout_uri');
  if (typeof logoutUri === 'string' && !logoutUri.startsWith('https://'))
    problems.push(problem('backchannel_logout_uri', 'must start with https://'));
  return problems;
}

function scopesOf(
  metadata: ClientMetadata,
  grants: unknown,
  { scopes }: RegistrationRules,
  { isForAllServers }: RegistrationOptions,
): { scopes: string[]; problems: MetadataProblem[] } {
  const asked = given(metadata, 'scope');
  if (asked !== undefined && typeof asked !== 'string')
    return { scopes: [], problems: [problem('scope', 'must be a text: scopes separated by spaces')] };
  // RFC 7591 §3.2.1: the server may replace what a client asks for. An MCP client registers with the scopes of its first
  // request, and later needs more (`insufficient_scope`). It gets all; the person decides about each.
  const wanted = isForAllServers ? asked?.split(' ').filter(Boolean) : undefined;
  const mayRefresh = Array.isArray(grants) && grants.includes('refresh_token');
  const possible = scopes
    .filter((scope) => wanted === undefined || wanted.includes(scope))
    .filter((scope) => scope !== 'offline_access' || mayRefresh);
  const hasOpenid = possible.includes('openid');
  const needsOpenid = (scope: string) => scope !== 'offline_access' && claimScopes.includes(scope);
  const granted = possible.filter((scope) => hasOpenid || !needsOpenid(scope));
  if (granted.length > 0) return { scopes: granted, problems: [] };
  const message = `has nothing that clients which register themselves may ask for: possible are ${scopes.join(' ')}`;
  return { scopes: granted, problems: [problem('scope', message)] };
}

/** The fields that decide what the client is. No other field is stored, so no secret is. */
export function keptMetadata(metadata: ClientMetadata): Record<string, unknown> {
  const names = [...fieldNames.map(([name]) => name), 'response_types'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = given(metadata, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The messages about a document name its fields. A person who writes metadata knows other names. */
function inNamesOfMetadata(message: string): string {
  const quoted = message.replace(/"(auth|applicationType): (\w+)"/g, '"$1" "$2"');
  return fieldNames.reduce(
    (text, [metadataName, name]) =>
      name === metadataName || name === 'name'
        ? text
        : text.replace(new RegExp(`\\b${name}\\b(?!_)`, 'g'), metadataName),
    quoted,
  );
}

function metadataPath(path: string): string {
  const [, first = '', ...rest] = path.split('/');
  const name = fieldNames.find(([, documentName]) => documentName === first)?.[0] ?? first;
  return [name, ...rest].join('/');
}

/**
 * Converts client metadata to a client document and checks it by the same rules as the documents of a person. The client
 * is always a third party, and its scopes are limited to those in the settings.
 *
 * @returns the document, or all problems; no message repeats a value of the metadata
 */
export function documentOfMetadata(
  metadata: ClientMetadata,
  rules: RegistrationRules,
  options: RegistrationOptions,
): Checked {
  const { id, auth, isForAllServers } = options;
  const { grants, problems } = grantsOf(metadata, rules, options);
  const scopes = scopesOf(metadata, grants, rules, options);
  const keys = given(metadata, 'jwks') ?? given(metadata, 'jwks_uri');
  const assumed = auth.includes('client_secret_basic') ? 'client_secret_basic' : 'none';
  const method =
    given(metadata, 'token_endpoint_auth_method') ??
    (isForAllServers && keys !== undefined ? 'private_key_jwt' : assumed);
  const redirectUris = texts(given(metadata, 'redirect_uris')) ?? [];
  const value: Record<string, unknown> = {
    // The documents of a person have no URL as their id.
    id: 'self-registered',
    auth: method,
    grants,
    scopes: scopes.scopes,
    // A public client must always use PKCE (RFC 9700 §2.1.1).
    pkce: isForAllServers || method === 'none' ? 'required' : rules.pkce,
    applicationType: given(metadata, 'application_type') ?? applicationType(redirectUris),
    origins: method === 'none' ? originsOf(redirectUris) : [],
  };
  for (const [name, field] of Object.entries(sameFields)) {
    // Keys that this kind of authentication does not use are no mistake of the client.
    if (method !== 'private_key_jwt' && (field === 'jwks' || field === 'jwksUri')) continue;
    const found = given(metadata, name);
    if (found !== undefined) value[field] = found;
  }
  value.name ??= options.name;
  // Only the digest of a secret is kept, beside the document. The rule for documents of a person wants to see one.
  if (String(method).startsWith('client_secret')) value.secrets = [{ sha256: '0'.repeat(64) }];
  const parsed = parseClientDocuments([{ origin: 'metadata', value }], rules.apis, rules);
  const found = [
    ...problems,
    ...scopes.problems,
    ...responseTypeProblems(metadata, isForAllServers),
    ...unsupportedProblems(metadata),
  ];
  if (!auth.includes(method as ClientDocument['auth']))
    found.push(problem('token_endpoint_auth_method', `must be one of ${auth.join(', ')}`));
  if (!parsed.ok) {
    const known = new Set(found.map(({ field }) => field));
    const more = parsed.problems.map(({ path, message }) =>
      problem(metadataPath(path), inNamesOfMetadata(message)),
    );
    found.push(...more.filter(({ field }) => !known.has(field)));
  }
  const document = parsed.ok ? parsed.documents[0]?.document : undefined;
  if (found.length > 0 || document === undefined) return { ok: false, problems: found };
  return { ok: true, document: { ...document, id, secrets: [] } };
}

/** Gives problems as one text, for `error_description`. */
export function describeMetadataProblems(problems: readonly MetadataProblem[]): string {
  return problems.map(({ field, message }) => `${field} ${message}`).join('; ');
}

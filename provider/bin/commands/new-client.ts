import { stringify } from 'yaml';
import type { ClientDocument } from '../../clients/client-document.ts';
import { type ClientProblem, parseClientDocuments } from '../../clients/parse-client-documents.ts';
import { digestOf, generateClientSecret, usesSecret } from '../../clients/stored-secrets.ts';
import { knownClaims } from '../../config/token-budget.ts';
import { parseUrl } from '../../lib/parse-url.ts';
import { CommandFailure } from '../cli/command-failure.ts';
import type { Output } from '../cli/output.ts';
import { accessModelOf, knownApis, loadAccessSettings } from './access-settings.ts';

export interface NewClientOptions {
  /** What people read. The client id is made from it. */
  name: string;
  kind: ClientKind;
  redirectUris: string[];
  /** Scopes of APIs, in addition to those of the kind. */
  scopes: string[];
  /** The file with the APIs. Default: the setting. */
  apis?: string | undefined;
}

type Fields = Partial<Omit<ClientDocument, 'secrets'>>;

interface Kind {
  fields: Fields;
  /** The redirect URIs where none is given; undefined where one must be given. */
  redirectUris?: string[];
}

const aboutPeople = ['openid', 'profile', 'email', 'offline_access'];
const signIn: Fields = { grants: ['authorization_code', 'refresh_token'], scopes: aboutPeople };

/** What `--kind` can be. */
export const clientKinds = {
  web: { fields: { auth: 'client_secret_basic', ...signIn } },
  spa: { fields: { auth: 'none', ...signIn } },
  // Any port of this machine fits, because the app takes a free one (RFC 8252 §7.3).
  native: {
    fields: { auth: 'none', applicationType: 'native', ...signIn },
    redirectUris: ['http://127.0.0.1/callback'],
  },
  service: {
    fields: { auth: 'client_secret_basic', grants: ['client_credentials'], scopes: [] },
    redirectUris: [],
  },
  'first-party': {
    fields: { auth: 'none', firstParty: true, grants: ['password', 'refresh_token'], scopes: aboutPeople },
    redirectUris: [],
  },
} satisfies Record<string, Kind>;

export type ClientKind = keyof typeof clientKinds;

/** The client id that fits a name: `My Shop` becomes `my-shop`. */
const idOf = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '');

/** The origins of web pages among these URIs. */
function originsOf(uris: readonly string[]): string[] {
  const pages = uris
    .map((uri) => parseUrl(uri))
    .filter((url) => url?.protocol === 'https:' || url?.protocol === 'http:');
  return [...new Set(pages.map((url) => url?.origin ?? ''))];
}

function documentOf({ name, kind, scopes, redirectUris: given }: NewClientOptions): Fields & { id: string } {
  const { fields, redirectUris: usual }: Kind = clientKinds[kind];
  const redirectUris = given.length > 0 ? given : (usual ?? []);
  const document: Fields & { id: string } = { id: idOf(name), name, ...fields };
  document.scopes = [...(fields.scopes ?? []), ...scopes];
  if (redirectUris.length === 0) return document;
  document.redirectUris = redirectUris;
  if (kind === 'first-party') document.grants = ['authorization_code', ...(fields.grants ?? [])];
  if (kind === 'native') return document;
  document.postLogoutRedirectUris = originsOf(redirectUris).map((origin) => `${origin}/`);
  if (fields.auth === 'none') document.origins = originsOf(redirectUris);
  return document;
}

/** The problems of the options that a document does not show. */
function optionProblems({ kind, redirectUris, scopes }: NewClientOptions, possible: string[]): string[] {
  const { redirectUris: usual }: Kind = clientKinds[kind];
  const problems: string[] = [];
  if (usual === undefined && redirectUris.length === 0)
    problems.push(
      `--redirect-uri is missing: a client of the kind ${kind} needs where people return to, exactly as the app sends it`,
    );
  if (kind === 'service' && redirectUris.length > 0)
    problems.push('--redirect-uri is not for a service, which signs no person in: remove it');
  if (kind === 'service' && scopes.length === 0) {
    const known = possible.length > 0 ? possible.join(', ') : 'none: define an API in GATEHOUSE_APIS_FILE';
    problems.push(`--scope is missing: a service needs scopes of an API. Known are ${known}`);
  }
  return problems;
}

/** A problem of the document in the words of the command line. Fields that follow from others are left out. */
function inOptions({ path, message }: ClientProblem, document: Fields & { id: string }): string[] {
  const [, field = '', index = ''] = path.split('/');
  const item = (list: readonly string[] = []) => list[Number(index)] ?? '';
  if (field === 'id') return [`the name gives the client id "${document.id}", which ${message}`];
  if (field === 'name') return [`the name ${message}`];
  if (field === 'redirectUris' && index !== '')
    return [`--redirect-uri ${item(document.redirectUris)} ${message}`];
  if (field === 'scopes' && index !== '') return [`--scope ${item(document.scopes)}: ${message}`];
  return [];
}

/** Checks the options. Throws a CommandFailure that lists all problems. */
function checkedDocument(options: NewClientOptions): { document: Fields & { id: string }; issuer: string } {
  const settings = loadAccessSettings({ apisFile: options.apis });
  const model = accessModelOf(settings);
  const apis = knownApis(model);
  const document = documentOf(options);
  const value = usesSecret(document) ? { ...document, secrets: [{ sha256: '0'.repeat(64) }] } : document;
  const restrictions = { deviceFlow: settings.deviceFlow, claims: knownClaims(model, settings.issuer) };
  const parsed = parseClientDocuments([{ origin: 'new', value }], apis, restrictions);
  const problems = optionProblems(
    options,
    apis.flatMap(({ scopes }) => scopes),
  );
  if (!parsed.ok) problems.push(...parsed.problems.flatMap((found) => inOptions(found, document)));
  if (!parsed.ok && problems.length === 0)
    problems.push(...parsed.problems.map(({ path, message }) => `${path} ${message}`));
  if (problems.length === 0) return { document, issuer: settings.issuer };
  const heading = `No document: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  throw new CommandFailure('problems', heading, { code: 'validation_failed', problems });
}

/** `gatehouse clients new`: prints a client document, and beside it what the app needs. Stores nothing. */
export async function newClient(options: NewClientOptions, output: Output): Promise<void> {
  const { document, issuer } = checkedDocument(options);
  const secret = usesSecret(document) ? generateClientSecret() : undefined;
  const secrets = secret === undefined ? {} : { secrets: [{ sha256: digestOf(secret) }] };
  const client = Object.assign({}, document, secrets);
  const app = {
    issuer,
    clientId: document.id,
    clientSecret: secret,
    redirectUris: document.redirectUris,
    scopes: document.scopes,
  };
  // With `---`, the output can also be added to the end of a file that has clients already.
  output.result({ client, app }, `---\n${stringify(client, { lineWidth: 0 })}`);
  output.note(guidance(options.kind, document, { issuer, secret }));
}

function guidance(
  kind: ClientKind,
  { id, redirectUris = [], scopes = [] }: Fields & { id: string },
  { issuer, secret }: { issuer: string; secret: string | undefined },
): string {
  const facts: [string, string][] = [
    ['Issuer', issuer],
    ['Client ID', id],
  ];
  if (secret !== undefined) facts.push(['Client secret', secret]);
  for (const uri of redirectUris) facts.push(['Redirect URI', uri]);
  facts.push(['Scopes', scopes.join(' ')]);
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = ['', 'Paste into the configuration of the app:', ''];
  lines.push(...facts.map(([name, value]) => `  ${name.padEnd(width)}${value}`), '');
  if (secret !== undefined)
    lines.push(
      'The secret is shown only now; the document has its digest. Keep it where the app reads its secrets.',
      'If the library of the app sends the secret in the body, set auth: client_secret_post in the document.',
    );
  lines.push(...(notes[kind]?.(issuer, id) ?? []));
  lines.push(
    `Save the document as ${id}.yaml. Then: gatehouse clients validate -f ${id}.yaml, and gatehouse clients apply -f ${id}.yaml,`,
    'or add it to the file of GATEHOUSE_CLIENTS_FILE. Settings for many libraries: docs/connect/README.md.',
    '',
  );
  return lines.join('\n');
}

const notes: Partial<Record<ClientKind, (issuer: string, id: string) => string[]>> = {
  web: () => ['Switch PKCE (S256) on in the library.'],
  spa: () => ['Switch PKCE (S256) on in the library. There is no secret: the app runs in the browser.'],
  native: () => ['Switch PKCE (S256) on in the library. A redirect URI on 127.0.0.1 fits with any port.'],
  service: (issuer) => [
    `The service gets a token by POST ${issuer}/oauth2/token with grant_type=client_credentials.`,
  ],
  'first-party': (issuer, id) => [
    `The app signs people in by POST ${issuer}/auth/login with {"clientId":"${id}","email":…,"password":…}.`,
    `Without clientId, /auth/* acts for the client in GATEHOUSE_DEFAULT_CLIENT.`,
  ],
};

import type { ClientDocument } from './client-document.ts';
import { redirectSchemeProblem } from './client-uris.ts';

/** One problem of a document, and the field it concerns. */
export interface DocumentProblem {
  /** JSON Pointer (RFC 6901). */
  path: string;
  /** What is wrong and what to do. */
  message: string;
}

/** The fields of a document that could be read. A field that could not be read is undefined, and rules skip it. */
export type ReadableFields = { [Field in keyof ClientDocument]?: ClientDocument[Field] | undefined };

type Rule = (fields: ReadableFields, unreadable: ReadonlySet<string>) => DocumentProblem[];

const problem = (path: string, message: string): DocumentProblem[] => [{ path, message }];

const authentication: Rule = ({ auth, secrets, pkce, grants, introspects }) => {
  if (auth === undefined) return [];
  const usesSecret = auth.startsWith('client_secret');
  const found: DocumentProblem[] = [];
  if (usesSecret && secrets?.length === 0) {
    found.push({
      path: '/secrets',
      message: `"auth: ${auth}" needs a secret: add "- ref: env:NAME" (or file:…), or set "auth: none"`,
    });
  }
  if (!usesSecret && secrets !== undefined && secrets.length > 0) {
    found.push({ path: '/secrets', message: `"auth: ${auth}" uses no secret: remove them` });
  }
  if (auth !== 'none') return found;
  if (pkce === 'optional') {
    found.push({ path: '/pkce', message: 'a public client ("auth: none") must use PKCE: remove "optional"' });
  }
  if (grants?.includes('client_credentials')) {
    found.push({
      path: '/grants',
      message: 'client_credentials needs a client that can authenticate: set "auth" to other than none',
    });
  }
  if (introspects !== undefined && introspects.length > 0) {
    found.push({
      path: '/introspects',
      message: 'only a client that can authenticate may introspect: set "auth" to other than none',
    });
  }
  return found;
};

const keys: Rule = ({ auth, jwks, jwksUri, assertionAudience }, unreadable) => {
  if (auth === undefined || unreadable.has('jwks') || unreadable.has('jwksUri')) return [];
  const given = [jwks === undefined ? [] : ['/jwks'], jwksUri === undefined ? [] : ['/jwksUri']].flat();
  if (auth !== 'private_key_jwt') {
    if (assertionAudience === 'token_endpoint') given.push('/assertionAudience');
    return given.map((path) => ({ path, message: `is for "auth: private_key_jwt" only: remove it` }));
  }
  if (given.length === 2) return problem('/jwks', 'is given together with jwksUri: keep one of the two');
  return given.length === 0 ? problem('/jwks', '"auth: private_key_jwt" needs "jwks" or "jwksUri"') : [];
};

const grantRules: Rule = ({ grants, firstParty, redirectUris, introspects }) => {
  if (grants === undefined) return [];
  const found: DocumentProblem[] = [];
  if (grants.length === 0 && introspects?.length === 0) {
    found.push({ path: '/grants', message: 'must not be empty, unless the client only introspects' });
  }
  if (grants.includes('password') && firstParty === false) {
    found.push({
      path: '/grants',
      message: 'password is for our own apps only: set "firstParty: true", or use authorization_code',
    });
  }
  if (grants.includes('authorization_code') && redirectUris?.length === 0) {
    found.push({ path: '/redirectUris', message: 'authorization_code needs at least one redirect URI' });
  }
  const issuing = ['authorization_code', 'password', 'device_code'];
  if (grants.includes('refresh_token') && !grants.some((grant) => issuing.includes(grant))) {
    found.push({
      path: '/grants',
      message: `refresh_token needs a grant that issues one: add one of ${issuing.join(', ')}, or remove it`,
    });
  }
  return found;
};

const aboutPeople = ['profile', 'email', 'roles', 'groups'];

const scopeRules: Rule = ({ scopes, grants }) => {
  if (scopes === undefined) return [];
  const found: DocumentProblem[] = [];
  const needsOpenid = scopes.filter((scope) => aboutPeople.includes(scope));
  if (needsOpenid.length > 0 && !scopes.includes('openid')) {
    found.push({ path: '/scopes', message: `${needsOpenid.join(' and ')} works only with openid: add it` });
  }
  if (grants === undefined) return found;
  if (scopes.includes('offline_access') && !grants.includes('refresh_token')) {
    found.push({
      path: '/scopes',
      message: 'offline_access works only with refresh tokens: add refresh_token to grants, or remove it',
    });
  }
  const forPeople = grants.some((grant) => grant !== 'client_credentials' && grant !== 'refresh_token');
  if (forPeople && scopes.length === 0) {
    found.push({ path: '/scopes', message: 'must name what the client may ask for: openid at least' });
  }
  return found;
};

const uriRules: Rule = ({ applicationType, redirectUris, postLogoutRedirectUris, origins, auth }) => {
  const found: DocumentProblem[] = [];
  if (origins !== undefined && origins.length > 0 && auth !== undefined && auth !== 'none') {
    found.push({
      path: '/origins',
      message: 'is for public clients: set "auth: none" for an app in the browser, or remove it',
    });
  }
  if (applicationType === undefined) return found;
  for (const [field, uris] of Object.entries({ redirectUris, postLogoutRedirectUris })) {
    for (const [index, uri] of (uris ?? []).entries()) {
      const message = redirectSchemeProblem(uri, applicationType);
      if (message !== undefined) found.push({ path: `/${field}/${index}`, message });
    }
  }
  return found;
};

const pushedRequests: Rule = ({ requirePushedAuthorizationRequests, grants }) => {
  if (!requirePushedAuthorizationRequests || grants === undefined || grants.includes('authorization_code'))
    return [];
  return problem(
    '/requirePushedAuthorizationRequests',
    'is for the grant authorization_code only: add it to grants, or remove this field',
  );
};

/**
 * Checks how the fields of one document fit together.
 *
 * @param unreadable the names of fields that are present but could not be read
 * @returns all problems found
 */
export function checkAcrossFields(
  fields: ReadableFields,
  unreadable: ReadonlySet<string>,
): DocumentProblem[] {
  const rules = [authentication, keys, grantRules, scopeRules, uriRules, pushedRequests];
  return rules.flatMap((rule) => rule(fields, unreadable));
}

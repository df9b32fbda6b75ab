/** A validation rule of the resource definition, in CEL. `kubectl apply` prints the message when the rule is not true. */
export interface Validation {
  rule: string;
  message: string;
  /** The field that is wrong, in the form of Kubernetes, relative to the place of the rule. */
  fieldPath?: string;
}

const rule = (fieldPath: string, message: string, text: string): Validation => ({
  rule: text,
  message,
  fieldPath,
});

// What a field means when it is left out, as the client document says.
const auth = "(has(self.auth) ? self.auth : 'client_secret_basic')";
const grants = "(has(self.grants) ? self.grants : ['authorization_code', 'refresh_token'])";
const isEmpty = (field: string) => `(!has(self.${field}) || self.${field}.size() == 0)`;
const usesSecret = `${auth}.startsWith('client_secret')`;
const generates = `(${usesSecret} && !has(self.secretRef) && ${isEmpty('secrets')})`;

/**
 * The rules between the fields of a spec. They repeat `clients/client-checks.ts` for what is visible in one resource,
 * so that the API server refuses what could never work. A test applies the same documents to both.
 */
export const specValidations: readonly Validation[] = [
  rule(
    '.pkce',
    'a public client ("auth: none") must use PKCE: remove "optional"',
    `${auth} != 'none' || !has(self.pkce) || self.pkce == 'required'`,
  ),
  rule(
    '.grants',
    'client_credentials needs a client that can authenticate: set "auth" to other than none',
    `${auth} != 'none' || !('client_credentials' in ${grants})`,
  ),
  rule(
    '.introspects',
    'only a client that can authenticate may introspect: set "auth" to other than none',
    `${auth} != 'none' || ${isEmpty('introspects')}`,
  ),
  rule(
    '.secrets',
    '"auth: none" and "auth: private_key_jwt" use no secret: remove secrets, secretRef and secretName',
    `${usesSecret} || (${isEmpty('secrets')} && !has(self.secretRef) && !has(self.secretName))`,
  ),
  rule(
    '.secretRef',
    'is given together with secrets or secretName: keep one of the three',
    `[has(self.secretRef), !${isEmpty('secrets')}, has(self.secretName)].filter(given, given).size() <= 1`,
  ),
  rule(
    '.rotateAfter',
    'only a secret that Gatehouse generates is rotated by schedule: remove rotateAfter',
    `!has(self.rotateAfter) || ${generates}`,
  ),
  rule(
    '.rotateAfter',
    'must be at least 1h, and longer than overlap (24h if left out)',
    "!has(self.rotateAfter) || (duration(self.rotateAfter) >= duration('1h') && duration(self.rotateAfter) > duration(has(self.overlap) ? self.overlap : '24h'))",
  ),
  rule(
    '.jwks',
    '"auth: private_key_jwt" needs "jwks" or "jwksUri", one of the two',
    `${auth} != 'private_key_jwt' || has(self.jwks) != has(self.jwksUri)`,
  ),
  rule(
    '.jwks',
    'jwks and jwksUri are for "auth: private_key_jwt" only: remove them',
    `${auth} == 'private_key_jwt' || (!has(self.jwks) && !has(self.jwksUri))`,
  ),
  rule(
    '.assertionAudience',
    'is for "auth: private_key_jwt" only: remove it',
    `${auth} == 'private_key_jwt' || !has(self.assertionAudience) || self.assertionAudience == 'issuer'`,
  ),
  rule(
    '.grants',
    'must not be empty, unless the client only introspects',
    `${grants}.size() > 0 || !${isEmpty('introspects')}`,
  ),
  rule(
    '.grants',
    'password is for first-party clients only: set "firstParty: true", or remove it',
    `!('password' in ${grants}) || (has(self.firstParty) && self.firstParty)`,
  ),
  rule(
    '.redirectUris',
    'authorization_code needs at least one redirect URI',
    `!('authorization_code' in ${grants}) || !${isEmpty('redirectUris')}`,
  ),
  rule(
    '.grants',
    'refresh_token needs a grant that issues one: add authorization_code, password or device_code, or remove it',
    `!('refresh_token' in ${grants}) || ${grants}.exists(grant, grant != 'refresh_token' && grant != 'client_credentials')`,
  ),
  rule(
    '.scopes',
    'profile and email work only with openid: add it',
    "!has(self.scopes) || 'openid' in self.scopes || !('profile' in self.scopes || 'email' in self.scopes)",
  ),
  rule(
    '.scopes',
    'offline_access works only with refresh tokens: add refresh_token to grants, or remove it',
    `!has(self.scopes) || !('offline_access' in self.scopes) || 'refresh_token' in ${grants}`,
  ),
  rule(
    '.scopes',
    'must name what the client may ask for: openid at least',
    `!${isEmpty('scopes')} || !${grants}.exists(grant, grant != 'client_credentials' && grant != 'refresh_token')`,
  ),
  rule(
    '.origins',
    'is for public clients: set "auth: none" for an app in the browser, or remove it',
    `${isEmpty('origins')} || ${auth} == 'none'`,
  ),
];

/** The rules of the whole resource. */
export const resourceValidations: readonly Validation[] = [
  {
    rule: 'has(self.spec.id) || self.metadata.name.size() <= 64',
    message:
      'the name of the resource is a part of its client id: it must have at most 64 characters, or set spec.id',
  },
  {
    rule: 'has(self.spec.id) == has(oldSelf.spec.id) && (!has(self.spec.id) || self.spec.id == oldSelf.spec.id)',
    message:
      'spec.id must not change: create another resource, and delete this one when no app uses it any more',
  },
];

const webUri: Validation = {
  rule: "self.matches('^https://[^/]') || self.matches('^http://(localhost|127\\\\.0\\\\.0\\\\.1|\\\\[::1\\\\])([:/]|$)')",
  message: 'must start with https:// (http:// only on localhost, 127.0.0.1 or [::1])',
};

const redirectUri: Validation[] = [
  { rule: "!self.contains('*')", message: 'must not contain a wildcard: list every URI by itself' },
  {
    rule: "!self.contains('#')",
    message: 'must not contain a fragment: remove the # and what follows',
  },
  {
    rule: "self.matches('^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$')",
    message: 'must be an absolute URI such as https://app.example.com/callback',
  },
];

const clientId: Validation = {
  rule: "!self.startsWith('user_') && self != 'gatehouse-account'",
  message: 'must not start with "user_", and must not be "gatehouse-account"',
};

/** The rules of single fields, and of the items of lists. */
export function fieldValidations(field: string): readonly Validation[] {
  if (field === 'id') return [clientId];
  if (field === 'redirectUris' || field === 'postLogoutRedirectUris') return redirectUri;
  return field === 'origins' || /[a-z]Uri$/.test(field) ? [webUri] : [];
}

import { describe, expect, test } from '@jest/globals';
import { clientIdUrlProblem } from '../../provider/clients/client-id-url.ts';
import {
  describeMetadataProblems,
  documentOfMetadata,
  keptMetadata,
  type RegistrationRules,
} from '../../provider/clients/registration-metadata.ts';
import { defaultAccessModel } from '../../provider/config/access-model.ts';
import { knownClaims } from '../../provider/config/token-budget.ts';

const rules = {
  scopes: ['openid', 'email', 'offline_access', 'notes:read'],
  pkce: 'required' as const,
  apis: [{ audience: 'https://api.example.com', scopes: ['notes:read', 'notes:write'] }],
  deviceFlow: false,
  claims: knownClaims(defaultAccessModel('https://api.example.com'), 'https://login.example.com'),
};

const good = { redirect_uris: ['https://app.example.com/callback'], token_endpoint_auth_method: 'none' };

const published = (metadata: Record<string, unknown>) =>
  documentOfMetadata({ ...good, ...metadata }, rules, {
    id: 'https://app.example.com/client',
    name: 'app.example.com',
    auth: ['none', 'private_key_jwt'],
    isForAllServers: true,
  });

const registered = (metadata: Record<string, unknown>, changes: Partial<RegistrationRules> = {}) =>
  documentOfMetadata(
    { ...good, ...metadata },
    { ...rules, ...changes },
    {
      id: 'registered_x',
      name: 'An app',
      auth: ['none', 'client_secret_basic', 'private_key_jwt'],
      isForAllServers: false,
    },
  );

const documentOf = (checked: ReturnType<typeof published>) => {
  if (!checked.ok) throw new Error(describeMetadataProblems(checked.problems));
  return checked.document;
};

test('a client that registers itself is a third party with its own id, whatever its metadata say', () => {
  const document = documentOf(
    published({ firstParty: true, first_party: true, id: 'demo-web', introspects: ['x'] }),
  );
  expect(document).toMatchObject({
    id: 'https://app.example.com/client',
    name: 'app.example.com',
    firstParty: false,
    introspects: [],
    pkce: 'required',
    secrets: [],
  });
});

describe('GATEHOUSE_REGISTRATION_PKCE', () => {
  const secret = { token_endpoint_auth_method: 'client_secret_basic' };
  const optional = { pkce: 'optional' } as const;

  test('makes PKCE optional for a client that registers with a secret, if it says so', () => {
    expect(documentOf(registered(secret)).pkce).toBe('required');
    expect(documentOf(registered(secret, optional)).pkce).toBe('optional');
  });

  test('never does so for a public client, or for metadata that a client publishes', () => {
    expect(documentOf(registered({}, optional)).pkce).toBe('required');
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example.com/jwks' };
    const checked = documentOfMetadata(Object.assign({}, good, keys), Object.assign({}, rules, optional), {
      id: 'https://app.example.com/client',
      name: 'app.example.com',
      auth: ['none', 'private_key_jwt'],
      isForAllServers: true,
    });
    expect(documentOf(checked).pkce).toBe('required');
  });
});

describe('the type of the application', () => {
  test.each([
    [['https://a.example.com/'], 'web'],
    [['http://localhost/callback', 'https://a.example.com/'], 'native'],
    [['http://127.0.0.1:33418/'], 'native'],
    [['com.example.app:/callback'], 'native'],
  ])('with the redirect URIs %j is %s', (uris, type) => {
    expect(documentOf(registered({ redirect_uris: uris })).applicationType).toBe(type);
  });

  test('is what the metadata say', () => {
    const uris = { redirect_uris: ['http://localhost:8080/'], application_type: 'web' };
    expect(documentOf(registered(uris)).applicationType).toBe('web');
  });
});

test('without grant_types, a client has the code grant alone, and so no offline_access', () => {
  expect(documentOf(published({}))).toMatchObject({
    grants: ['authorization_code'],
    scopes: ['openid', 'email', 'notes:read'],
  });
  const grants = { grant_types: ['authorization_code', 'refresh_token'] };
  expect(documentOf(published(grants)).scopes).toEqual(rules.scopes);
});

test('a published document limits its scopes, and a registered client gets all', () => {
  expect(documentOf(published({ scope: 'notes:read notes:write' })).scopes).toEqual(['notes:read']);
  expect(documentOf(registered({ scope: 'notes:read' })).scopes).toEqual(['openid', 'email', 'notes:read']);
  expect(published({ scope: 'notes:write' })).toMatchObject({ ok: false, problems: [{ field: 'scope' }] });
});

test('a published document may list grants of other servers; a registration is refused with them', () => {
  const grants = { grant_types: ['authorization_code', 'implicit', 'client_credentials'] };
  expect(documentOf(published(grants)).grants).toEqual(['authorization_code']);
  expect(registered(grants)).toMatchObject({ ok: false, problems: [{ field: 'grant_types' }] });
});

test('null and an empty text are left out (RFC 7592 §2.2), and only known fields are kept', () => {
  const document = documentOf(
    registered({ logo_uri: '', tos_uri: null, policy_uri: 'https://a.example.com/p' }),
  );
  expect(document).toMatchObject({ policyUri: 'https://a.example.com/p' });
  expect(document).not.toHaveProperty('logoUri');
  const kept = keptMetadata({
    ...good,
    logo_uri: '',
    client_secret: 'x',
    contacts: ['x'],
    __proto__: { a: 1 },
  });
  expect(Object.keys(kept).sort()).toEqual(['redirect_uris', 'token_endpoint_auth_method']);
});

test('problems name the fields of RFC 7591', () => {
  const refused = registered({
    redirect_uris: ['http://a.example.com/'],
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['refresh_token'],
    client_name: '',
    application_type: 'desktop',
  });
  if (refused.ok) throw new Error('was accepted');
  const text = describeMetadataProblems(refused.problems);
  for (const name of ['jwks', 'grant_types', 'application_type']) expect(text).toContain(name);
  for (const name of ['jwksUri', 'applicationType', 'redirectUris', 'auth:'])
    expect(text).not.toContain(name);
});

describe('a client id that is a URL', () => {
  const allowed = ['apps.example.com', '*.tools.example.com'];

  test.each([
    'https://apps.example.com/client',
    'https://apps.example.com/a/b.json',
    'https://one.tools.example.com/x',
    'https://a.b.tools.example.com/x',
  ])('%s is allowed', (id) => {
    expect(clientIdUrlProblem(id, allowed)).toBeUndefined();
  });

  test.each([
    'https://tools.example.com/x',
    'https://eviltools.example.com/x',
    'https://apps.example.com.evil.com/x',
    'https://sub.apps.example.com/x',
    'https://apps.example.com./x',
    'https://APPS.example.com/x',
    'https://apps.example.com',
    'https://apps.example.com/',
    'https://apps.example.com:443/x',
    'https://user@apps.example.com/x',
    'https://apps.example.com/./x',
    'https://apps.example.com/x/%2E%2E/y',
    'https://apps.example.com/x?y',
    'https://apps.example.com/x#y',
    'https://apps.example.com/x\\y',
    'https://apps.example.com/x y',
    'https://apps.example.com/é',
    'https://127.0.0.1/x',
    'http://apps.example.com/x',
    `https://apps.example.com/${'x'.repeat(300)}`,
  ])('%s is refused', (id) => {
    expect(clientIdUrlProblem(id, allowed)).toEqual(expect.any(String));
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Provider } from 'oidc-provider';
import { type OidcClientMetadata, oidcMetadata } from '../../provider/clients/oidc-metadata.ts';
import { protocolScopes } from '../../provider/lib/oidc-scopes.ts';
import { documentOf, publicClient, webClient } from './client-documents.ts';

const publicKey = (type: 'rsa' | 'ec' | 'ed25519') => {
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  if (type === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  return generateKeyPairSync('ed25519').publicKey;
};
const jwks = (...types: ('rsa' | 'ec' | 'ed25519')[]) => ({
  keys: types.map((type) => ({ ...publicKey(type).export({ format: 'jwk' }), kid: type, use: 'sig' })),
});
const signingJwk = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const keyed = { auth: 'private_key_jwt', secrets: undefined };
const machine = { grants: ['client_credentials'], redirectUris: undefined, scopes: ['contracts:read'] };

const documents: [what: string, document: Record<string, unknown>][] = [
  ['a web client', webClient()],
  ['a client that posts its secret', webClient({ auth: 'client_secret_post', secrets: [{ ref: 'env:A' }] })],
  ['a public client', publicClient({ origins: ['http://localhost:5173'] })],
  ['a client with keys', webClient({ ...keyed, jwks: jwks('rsa', 'ec', 'ed25519') })],
  ['a client with keys at a URI', webClient({ ...keyed, jwksUri: 'https://app.example.com/jwks' })],
  ['a client with keys at a loopback URI', webClient({ ...keyed, jwksUri: 'http://localhost:1/jwks' })],
  ['a machine', webClient(machine)],
  ['a machine with a key', webClient({ ...keyed, ...machine, jwks: jwks('ec') })],
  [
    'an API that introspects',
    webClient({ ...machine, grants: [], introspects: ['https://api.example.com'] }),
  ],
  [
    'all grants',
    webClient({
      firstParty: true,
      grants: ['authorization_code', 'refresh_token', 'client_credentials', 'password', 'device_code'],
    }),
  ],
  ['a device', publicClient({ grants: ['device_code', 'refresh_token'], redirectUris: undefined })],
  [
    'a first-party app',
    publicClient({ firstParty: true, grants: ['password', 'refresh_token'], redirectUris: undefined }),
  ],
  ['pushed requests only', webClient({ requirePushedAuthorizationRequests: true })],
  ['bound tokens only', webClient({ dpopBoundAccessTokens: true })],
  ['all scopes', webClient({ scopes: [...protocolScopes, 'contracts:read', 'contracts:write'] })],
  ['no scope of OpenID Connect', webClient({ scopes: ['contracts:read'] })],
  [
    'http redirect URIs on every loopback host',
    webClient({ redirectUris: ['http://localhost', 'http://127.0.0.1:1/a', 'http://[::1]:1/a?b=c'] }),
  ],
  [
    'an app on a device',
    publicClient({
      applicationType: 'native',
      redirectUris: [
        'com.example.app:/a',
        'com.example.app://b',
        'https://app.example.com/c',
        'http://127.0.0.1/d',
        'http://localhost:1/e',
      ],
      postLogoutRedirectUris: ['com.example.app:/bye'],
    }),
  ],
  [
    'post-logout redirect URIs',
    webClient({ postLogoutRedirectUris: ['https://app.example.com/bye', 'http://localhost/bye'] }),
  ],
  [
    'all URIs',
    webClient({
      logoUri: 'https://a.example/l',
      clientUri: 'http://localhost/c',
      policyUri: 'https://a.example/p',
      tosUri: 'https://a.example/t',
      backchannelLogoutUri: 'https://a.example/b',
    }),
  ],
  ['the longest id and name', webClient({ id: 'i'.repeat(128), name: '☃'.repeat(100) })],
  ['an id of punctuation', webClient({ id: '._-' })],
];

const metadataOf = (document: Record<string, unknown>, scopes: readonly string[] = protocolScopes) =>
  oidcMetadata(documentOf(document), scopes);

describe('oidc-provider', () => {
  let stored: Record<string, OidcClientMetadata>;
  let provider: Provider;

  beforeAll(() => {
    stored = {};
    const none = async () => undefined;
    provider = new Provider('http://localhost:3000', {
      adapter: () => ({
        find: async (id) => stored[id] && { ...stored[id] },
        upsert: none,
        findByUid: none,
        findByUserCode: none,
        consume: none,
        destroy: none,
        revokeByGrantId: none,
      }),
      clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      jwks: { keys: [signingJwk] },
      responseTypes: ['code'],
      scopes: [...protocolScopes],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        deviceFlow: { enabled: true },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { enabled: true },
      },
    });
    provider.registerGrantType('password', () => undefined);
  });

  test.each(documents)('accepts %s', async (_, document) => {
    const metadata = metadataOf(document);
    stored[metadata.client_id] = metadata;
    const client = await provider.Client.find(metadata.client_id);
    expect(client?.metadata()).toMatchObject({ ...metadata });
  });
});

describe('oidcMetadata', () => {
  test('names the device grant by its URN', () => {
    const { grant_types, response_types } = metadataOf(publicClient({ grants: ['device_code'] }));
    expect(grant_types).toEqual(['urn:ietf:params:oauth:grant-type:device_code']);
    expect(response_types).toEqual([]);
  });

  test('gives clients with a secret a random placeholder, and other clients none', () => {
    const placeholder = metadataOf(webClient()).client_secret;
    expect(placeholder).toMatch(/^[\w-]{43}$/);
    expect(metadataOf(webClient({ id: 'other' })).client_secret).toBe(placeholder);
    expect(metadataOf(publicClient())).not.toHaveProperty('client_secret');
    expect(JSON.stringify(metadataOf(webClient({ secrets: [{ ref: 'env:NAME' }] })))).not.toContain('NAME');
  });

  test('leaves out scopes that the provider does not list', () => {
    const document = webClient({ scopes: ['openid', 'contracts:read'] });
    expect(metadataOf(document).scope).toBe('openid');
    expect(metadataOf(document, [...protocolScopes, 'contracts:read']).scope).toBe('openid contracts:read');
  });

  test('always has a scope, because the library allows all scopes without one', () => {
    expect(metadataOf(webClient({ scopes: ['contracts:read'] })).scope).toBe('openid');
  });

  test('requires the session in logout tokens', () => {
    const metadata = metadataOf(webClient({ backchannelLogoutUri: 'https://a.example/b' }));
    expect(metadata.backchannel_logout_session_required).toBe(true);
  });
});

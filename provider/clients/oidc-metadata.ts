import { deviceCodeGrant } from '../lib/device-code-grant.ts';
import { randomToken } from '../lib/ids.ts';
import type { ClientDocument } from './client-document.ts';

/** Client metadata as oidc-provider reads it (RFC 7591 §2). */
export interface OidcClientMetadata {
  client_id: string;
  client_name: string;
  application_type: 'web' | 'native';
  token_endpoint_auth_method: ClientDocument['auth'];
  client_secret?: string;
  jwks?: { keys: Record<string, unknown>[] };
  jwks_uri?: string;
  grant_types: string[];
  response_types: 'code'[];
  redirect_uris: string[];
  post_logout_redirect_uris: string[];
  scope: string;
  id_token_signed_response_alg: 'RS256';
  logo_uri?: string;
  client_uri?: string;
  policy_uri?: string;
  tos_uri?: string;
  backchannel_logout_uri?: string;
  backchannel_logout_session_required?: boolean;
}

// The library wants a value for clients with a secret, though comparing is done elsewhere. A random one that
// nobody knows fails closed, should its own comparison ever be reached.
const placeholderSecret = randomToken();

function authentication(document: ClientDocument): Partial<OidcClientMetadata> {
  if (document.auth.startsWith('client_secret')) return { client_secret: placeholderSecret };
  if (document.jwks !== undefined) return { jwks: document.jwks };
  return document.jwksUri === undefined ? {} : { jwks_uri: document.jwksUri };
}

function optionalUris(document: ClientDocument): Partial<OidcClientMetadata> {
  const { logoUri, clientUri, policyUri, tosUri, backchannelLogoutUri } = document;
  return {
    ...(logoUri === undefined ? {} : { logo_uri: logoUri }),
    ...(clientUri === undefined ? {} : { client_uri: clientUri }),
    ...(policyUri === undefined ? {} : { policy_uri: policyUri }),
    ...(tosUri === undefined ? {} : { tos_uri: tosUri }),
    ...(backchannelLogoutUri === undefined
      ? {}
      : { backchannel_logout_uri: backchannelLogoutUri, backchannel_logout_session_required: true }),
  };
}

/**
 * A client document as client metadata for oidc-provider.
 *
 * @param supportedScopes what the provider's own configuration lists as `scopes`; the library refuses a client
 *   with any other. Scopes of APIs that aren't in it are left out, and must be held against the document where
 *   the API is resolved.
 */
export function oidcMetadata(
  document: ClientDocument,
  supportedScopes: readonly string[],
): OidcClientMetadata {
  const scopes = document.scopes.filter((scope) => supportedScopes.includes(scope));
  return {
    client_id: document.id,
    client_name: document.name,
    application_type: document.applicationType,
    token_endpoint_auth_method: document.auth,
    ...authentication(document),
    grant_types: document.grants.map((grant) => (grant === 'device_code' ? deviceCodeGrant : grant)),
    response_types: document.grants.includes('authorization_code') ? ['code'] : [],
    redirect_uris: document.redirectUris,
    post_logout_redirect_uris: document.postLogoutRedirectUris,
    // No scope at all would mean any scope to the library. openid alone tells nothing a token's `sub` doesn't.
    scope: scopes.join(' ') || 'openid',
    id_token_signed_response_alg: 'RS256',
    ...optionalUris(document),
  };
}

import { deviceCodeGrant } from '../lib/device-code-grant.ts';
import { randomToken } from '../lib/ids.ts';
import type { ClientDocument } from './client-document.ts';

/**
 * Client metadata in the form that oidc-provider reads (RFC 7591 §2). It is a type and not an interface, so that it is
 * compatible with the library's index signature.
 */
export type OidcClientMetadata = {
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
  require_pushed_authorization_requests: boolean;
  dpop_bound_access_tokens: boolean;
  id_token_signed_response_alg: 'RS256';
  logo_uri?: string;
  client_uri?: string;
  initiate_login_uri?: string;
  policy_uri?: string;
  tos_uri?: string;
  backchannel_logout_uri?: string;
  backchannel_logout_session_required?: boolean;
};

// oidc-provider requires a value for clients with a secret, although client-secrets.ts does the comparison. The random
// value matches no secret. This matters only if the library's own comparison is ever used.
const placeholderSecret = randomToken();

function addAuthentication(metadata: OidcClientMetadata, { auth, jwks, jwksUri }: ClientDocument): void {
  if (auth.startsWith('client_secret')) metadata.client_secret = placeholderSecret;
  else if (jwks !== undefined) metadata.jwks = jwks;
  else if (jwksUri !== undefined) metadata.jwks_uri = jwksUri;
}

function addUris(metadata: OidcClientMetadata, document: ClientDocument): void {
  const { logoUri, clientUri, initiateLoginUri, policyUri, tosUri, backchannelLogoutUri } = document;
  if (logoUri !== undefined) metadata.logo_uri = logoUri;
  if (clientUri !== undefined) metadata.client_uri = clientUri;
  if (initiateLoginUri !== undefined) metadata.initiate_login_uri = initiateLoginUri;
  if (policyUri !== undefined) metadata.policy_uri = policyUri;
  if (tosUri !== undefined) metadata.tos_uri = tosUri;
  if (backchannelLogoutUri !== undefined) {
    metadata.backchannel_logout_uri = backchannelLogoutUri;
    // The library reads neither: its own back-channel logout is off. A client that registered itself reads them.
    metadata.backchannel_logout_session_required = document.backchannelLogoutSessionRequired !== false;
  }
}

/**
 * Converts a client document to client metadata for oidc-provider.
 *
 * @param supportedScopes the `scopes` in the provider's own configuration. The library refuses a client with any other
 *   scope. So scopes of APIs are left out unless they are in this list, and they must be checked against the document
 *   where a token's audience is chosen.
 */
export function oidcMetadata(
  document: ClientDocument,
  supportedScopes: readonly string[],
): OidcClientMetadata {
  const scopes = document.scopes.filter((scope) => supportedScopes.includes(scope));
  const metadata: OidcClientMetadata = {
    client_id: document.id,
    client_name: document.name,
    application_type: document.applicationType,
    token_endpoint_auth_method: document.auth,
    grant_types: document.grants.map((grant) => (grant === 'device_code' ? deviceCodeGrant : grant)),
    response_types: document.grants.includes('authorization_code') ? ['code'] : [],
    redirect_uris: document.redirectUris,
    post_logout_redirect_uris: document.postLogoutRedirectUris,
    // Without a scope, the library would allow any scope. `openid` alone reveals nothing except the `sub` of a token.
    scope: scopes.join(' ') || 'openid',
    require_pushed_authorization_requests: document.requirePushedAuthorizationRequests,
    dpop_bound_access_tokens: document.dpopBoundAccessTokens,
    id_token_signed_response_alg: 'RS256',
  };
  addAuthentication(metadata, document);
  addUris(metadata, document);
  return metadata;
}

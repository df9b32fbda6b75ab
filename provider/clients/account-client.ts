import { accountClientId, type ClientDocument } from './client-document.ts';

/**
 * The account page as a client. A sign-in for this client gives the browser a session, and the account page reads the
 * account from that session. It never redeems the authorization code. No other party can redeem the code either: the
 * client must authenticate with a secret, and it has none.
 *
 * @param redirectUri the URI that the browser returns to after the sign-in
 */
export function accountClient({ name, redirectUri }: { name: string; redirectUri: string }): ClientDocument {
  return {
    id: accountClientId,
    name,
    enabled: true,
    firstParty: true,
    auth: 'client_secret_basic',
    secrets: [],
    assertionAudience: 'issuer',
    grants: ['authorization_code'],
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [],
    origins: [],
    scopes: ['openid'],
    idTokenClaims: [],
    introspects: [],
    pkce: 'required',
    requirePushedAuthorizationRequests: false,
    requireSecondFactor: false,
    dpopBoundAccessTokens: false,
    applicationType: 'web',
  };
}

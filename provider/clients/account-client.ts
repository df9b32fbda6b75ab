import { accountClientId, type ClientDocument } from './client-document.ts';

/**
 * The account page as a client. It uses the sign-in only to learn the account, which it reads from the browser's
 * session, and never redeems its codes. No other party can redeem them either: the client must authenticate with a
 * secret and has none.
 *
 * @param redirectUri where the browser returns to after sign-in
 */
export function accountClient({ name, redirectUri }: { name: string; redirectUri: string }): ClientDocument {
  return {
    id: accountClientId,
    name,
    firstParty: true,
    auth: 'client_secret_basic',
    secrets: [],
    grants: ['authorization_code'],
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [],
    origins: [],
    scopes: ['openid'],
    introspects: [],
    pkce: 'required',
    applicationType: 'web',
  };
}

import { accountClientId, type ClientDocument } from './client-document.ts';

/**
 * The account page as a client. It wants to know who signed in, which the browser's session says, and never redeems its
 * codes: nobody can, since it has no secret and has to show one.
 *
 * @param redirectUri where people come back to after signing in
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

/**
 * The JSON API for first-party apps, and `/auth/verify` for gateways. This folder checks input, calls the services and
 * describes its endpoints. It sets no cookie, renders no page, and contains no rule about tokens: those are in oidc/.
 */
import type { ConfirmAddress } from '../accounts/confirm-address.ts';
import type { Register } from '../accounts/register.ts';
import type { ClientDocument } from '../clients/client-document.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { AccessTokenClaims } from '../oidc/tokens/access-token-claims.ts';
import type { EndFamilyOf } from '../oidc/tokens/end-family.ts';
import type { TokenRequests, TokenResponse } from '../oidc/tokens/token-requests.ts';
import type { AccountStore } from '../ports/account-store.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { type PasskeyApiDeps, passkeyEndpoints, type SignInSteps } from './passkeys.ts';
import { type RecoveryEndpointsDeps, recoveryEndpoints } from './recovery.ts';
import {
  acceptedResponse,
  confirmBody,
  loginBody,
  profileResponse,
  refreshBody,
  registerBody,
  secondFactorBody,
  tokensResponse,
} from './schemas.ts';

export interface JsonApiDeps extends RecoveryEndpointsDeps {
  redeem: TokenRequests['redeem'];
  client(id: string): Pick<ClientDocument, 'enabled' | 'firstParty' | 'auth' | 'grants'> | undefined;
  defaultClientId: string | undefined;
  verifyAccessToken(token: string): Promise<VerifiedToken | undefined>;
  account: AccountStore['findById'];
  endFamilyOf: EndFamilyOf;
  /** Confirms the address of a new account. */
  confirmAddress: ConfirmAddress['byCode'];
  /** Undefined when passkeys are off. */
  passkeys?: PasskeyApiDeps['passkeys'];
  /** Undefined where people cannot create their own accounts. */
  register?: Register | undefined;
}

/** The claims of an access token that this folder reads. */
export type VerifiedToken = Pick<
  AccessTokenClaims,
  | 'sub'
  | 'client_id'
  | 'scope'
  | 'email'
  | 'email_verified'
  | 'roles'
  | 'permissions'
  | 'acr'
  | 'auth_time'
  | 'generation'
  | 'cnf'
>;

/** The JSON API (DESIGN §4): the table that is routed, checked and described. */
export function jsonApiEndpoints(deps: JsonApiDeps): Endpoint[] {
  const steps: SignInSteps = {
    clientFor: (asked) => clientFor(deps, asked, 'password'),
    redeem: async ({ request, response }, clientId, parameters) =>
      tokens(await deps.redeem(request, response, clientId, 'password', parameters)),
  };
  return [
    login(steps),
    secondFactor(steps),
    refresh(deps),
    logout(deps),
    register(deps),
    ...recoveryEndpoints(deps),
    confirm(deps),
    profile(deps),
    ...passkeyEndpoints(deps, steps),
  ];
}

/** A confidential client must authenticate. These endpoints take no secret, so it must use the token endpoint. */
function clientFor(
  deps: JsonApiDeps,
  asked: string | undefined,
  grant?: 'password' | 'refresh_token',
): string {
  const id = asked ?? deps.defaultClientId;
  const client = id === undefined ? undefined : deps.client(id);
  if (client?.enabled === false)
    throw new GatehouseError('client_disabled', 'This client is disabled. Its document says enabled: false.');
  const isAllowed = client?.firstParty && client.auth === 'none';
  if (id !== undefined && isAllowed && (!grant || client.grants.includes(grant))) return id;
  if (isAllowed && grant)
    throw new GatehouseError(
      'client_not_allowed',
      `The document of this client doesn't list the grant ${grant}.`,
    );
  throw new GatehouseError(
    'client_not_allowed',
    asked === undefined
      ? 'No default client is configured. Send clientId, or set GATEHOUSE_DEFAULT_CLIENT.'
      : 'clientId must name a public first-party client.',
  );
}

const tokens = (response: TokenResponse) => ({
  accessToken: response.access_token,
  refreshToken: response.refresh_token,
  expiresIn: response.expires_in,
  newPasswordNeeded: response.new_password_needed,
});

const login = ({ clientFor, redeem }: SignInSteps) =>
  endpoint({
    method: 'post',
    path: '/auth/login',
    summary: 'Sign in',
    description:
      'Signs a person in for a first-party client: the same tokens as the authorization code flow, with the scopes of the client’s document for its default API. With a `DPoP` header (RFC 9449) the tokens are bound to the key of its proof, whose `htu` is this endpoint’s URL. For an account with a second factor the answer is the problem `second_factor_required`, with a `challenge` for `/auth/login/second-factor`.',
    body: loginBody,
    success: { status: 200, description: 'Signed in.', schema: tokensResponse },
    problems: [
      'invalid_credentials',
      'second_factor_required',
      'second_factor_missing',
      'email_not_verified',
      'account_disabled',
      'client_disabled',
      'client_not_allowed',
      'invalid_dpop_proof',
      'too_many_requests',
      'overloaded',
    ],
    handle: async ({ request, response, body }) => {
      const clientId = clientFor(body.clientId);
      if (body.email === '' || body.password === '') throw wrongCredentials();
      const parameters = { username: body.email, password: body.password };
      return redeem({ request, response }, clientId, parameters);
    },
  });

const secondFactor = ({ clientFor, redeem }: SignInSteps) =>
  endpoint({
    method: 'post',
    path: '/auth/login/second-factor',
    summary: 'Sign in: the second factor',
    description:
      'Finishes a sign-in that `/auth/login` answered with `second_factor_required`. A challenge is for one client and one sign-in, and for five minutes. After a wrong code it can be sent again with another code; wrong codes and wrong passwords count in the same limits. An answer of a passkey goes to `/auth/login/passkey`.',
    body: secondFactorBody,
    success: { status: 200, description: 'Signed in.', schema: tokensResponse },
    problems: [
      'invalid_second_factor',
      'second_factor_expired',
      'account_disabled',
      'client_disabled',
      'client_not_allowed',
      'invalid_dpop_proof',
      'too_many_requests',
    ],
    handle: async ({ request, response, body }) => {
      const clientId = clientFor(body.clientId);
      const parameters = { second_factor_challenge: body.challenge, otp: body.code };
      return redeem({ request, response }, clientId, parameters);
    },
  });

const wrongCredentials = () =>
  new GatehouseError('invalid_credentials', 'The email address or the password is wrong.');

const refresh = (deps: JsonApiDeps) =>
  endpoint({
    method: 'post',
    path: '/auth/refresh',
    summary: 'Refresh',
    description:
      'Gives a new access token and the next refresh token. Tokens that are bound to a key need a `DPoP` header (RFC 9449) with a proof for this endpoint’s URL.',
    body: refreshBody,
    success: { status: 200, description: 'New tokens.', schema: tokensResponse },
    problems: [
      'invalid_grant',
      'client_disabled',
      'client_not_allowed',
      'invalid_dpop_proof',
      'too_many_requests',
    ],
    handle: async ({ request, response, body }) => {
      const clientId = clientFor(deps, body.clientId, 'refresh_token');
      const parameters = { refresh_token: body.refreshToken };
      return tokens(await deps.redeem(request, response, clientId, 'refresh_token', parameters));
    },
  });

const logout = (deps: JsonApiDeps) =>
  endpoint({
    method: 'post',
    path: '/auth/logout',
    summary: 'Sign out',
    description:
      'Ends everything issued from the sign-in this refresh token belongs to. Says the same for a token that is unknown or ended already.',
    body: refreshBody,
    success: { status: 204, description: 'Signed out.' },
    problems: ['client_disabled', 'client_not_allowed', 'too_many_requests'],
    handle: async ({ body }) => {
      await deps.endFamilyOf(clientFor(deps, body.clientId), body.refreshToken);
    },
  });

const register = (deps: JsonApiDeps) =>
  endpoint({
    method: 'post',
    path: '/auth/register',
    summary: 'Sign up',
    description:
      'Creates an account, where the server lets people sign up. The answer doesn’t tell whether the address was known. If the server asks for a proof of the address (`GATEHOUSE_SIGNUP_VERIFICATION`), both get a mail, and the answer has a `confirmation`. Send the same request again to get a new mail.',
    body: registerBody,
    success: { status: 202, description: 'Taken.', schema: acceptedResponse },
    problems: ['signup_disabled', 'validation_failed', 'too_many_requests', 'overloaded'],
    handle: async ({ body }) => {
      if (!deps.register)
        throw new GatehouseError('signup_disabled', 'People can’t sign up themselves here.');
      return { status: 'accepted', ...(await deps.register(body)) };
    },
  });

const confirm = (deps: JsonApiDeps) =>
  endpoint({
    method: 'post',
    path: '/auth/register/confirm',
    summary: 'Sign up: confirm the address',
    description:
      'Confirms the email address of a new account, with the `confirmation` that `/auth/register` gave and the code of the mail. The person can sign in then. Five wrong codes end the code, not the link of the mail.',
    body: confirmBody,
    success: { status: 204, description: 'Confirmed.' },
    problems: ['invalid_one_time_token', 'interaction_expired', 'too_many_requests'],
    handle: async ({ body }) => {
      await deps.confirmAddress(body);
    },
  });

const profile = (deps: JsonApiDeps) =>
  endpoint({
    method: 'get',
    path: '/user/profile',
    summary: 'Who is signed in',
    description: 'Takes any live access token of ours with the scope `profile`.',
    security: 'bearer',
    success: { status: 200, description: 'The person.', schema: profileResponse },
    problems: ['invalid_token', 'insufficient_scope'],
    handle: async ({ bearer }) => {
      const token = await deps.verifyAccessToken(bearer);
      const account = token && (await deps.account(token.sub));
      if (!token || !account)
        throw new GatehouseError(
          'invalid_token',
          'The access token is missing, expired, revoked or not ours.',
        );
      // RFC 9449 §7.2: if a bound token were accepted as a Bearer token, a thief could use it.
      if (token.cnf)
        throw new GatehouseError(
          'invalid_token',
          'This access token is bound to a key; send one that is not.',
        );
      if (!token.scope?.split(' ').includes('profile'))
        throw new GatehouseError('insufficient_scope', 'The access token needs the scope profile.');
      return {
        id: account.id,
        email: token.email,
        emailVerified: token.email_verified,
        roles: token.roles,
        permissions: token.permissions,
      };
    },
  });

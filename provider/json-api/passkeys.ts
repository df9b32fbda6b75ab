import type { AppOwner, AppPasskeys } from '../accounts/app-passkeys.ts';
import type { ClientDocument } from '../clients/client-document.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { AccessTokenClaims } from '../oidc/tokens/access-token-claims.ts';
import { type Call, type Endpoint, endpoint } from './endpoint.ts';
import {
  passkeyAdded,
  passkeyBody,
  passkeyLoginBody,
  passkeyOffer,
  passkeyOptionsBody,
  passkeyRequest,
  tokensResponse,
} from './schemas.ts';

/** What this file needs for apps that use passkeys in their own form. */
export interface PasskeyApiDeps {
  /** Undefined when passkeys are off. */
  passkeys?: AppPasskeys | undefined;
  verifyAccessToken(token: string): Promise<OwnerToken | undefined>;
  client(id: string): Pick<ClientDocument, 'firstParty'> | undefined;
}

type OwnerToken = Pick<AccessTokenClaims, 'sub' | 'client_id' | 'generation' | 'acr' | 'auth_time' | 'cnf'>;

/** What these endpoints share with the other ways to sign in. */
export interface SignInSteps {
  /** The client of a request, which must be allowed to sign people in. */
  clientFor(asked: string | undefined): string;
  /** Gives the tokens for an answer. */
  redeem(
    call: Pick<Call, 'request' | 'response'>,
    clientId: string,
    parameters: Record<string, string | object>,
  ): Promise<unknown>;
}

/** Passkeys for first-party apps that have their own form (docs/passkeys.md). */
export function passkeyEndpoints(deps: PasskeyApiDeps, steps: SignInSteps): Endpoint[] {
  return [options(deps, steps), login(deps, steps), secondFactor(deps, steps), offer(deps), add(deps)];
}

function switchedOn({ passkeys }: PasskeyApiDeps): AppPasskeys {
  if (passkeys) return passkeys;
  throw new GatehouseError('passkeys_disabled', 'Passkeys are switched off here.');
}

const ofSignIn = ['passkeys_disabled', 'client_disabled', 'client_not_allowed', 'too_many_requests'] as const;

const options = (deps: PasskeyApiDeps, { clientFor }: SignInSteps) =>
  endpoint({
    method: 'post',
    path: '/auth/passkey/options',
    summary: 'Sign in with a passkey: the options',
    description:
      'Gives the options for `navigator.credentials.get`, or for the same call of a phone. They name no account: the person chooses a passkey. `challenge` goes to `/auth/passkey/login` together with the answer, within five minutes. It is valid once, and for one client. Nothing is stored.',
    body: passkeyOptionsBody,
    success: { status: 200, description: 'The options.', schema: passkeyRequest },
    problems: ofSignIn,
    handle: async ({ body }) => switchedOn(deps).ask(clientFor(body.clientId)),
  });

const login = (deps: PasskeyApiDeps, { clientFor, redeem }: SignInSteps) =>
  endpoint({
    method: 'post',
    path: '/auth/passkey/login',
    summary: 'Sign in with a passkey',
    description:
      'Signs a person in with the answer to `/auth/passkey/options`: the same tokens as `/auth/login`, at the level of two factors, because the authenticator verified the person. The answer must come from the issuer’s origin, or from one of the configured apps.',
    body: passkeyLoginBody,
    success: { status: 200, description: 'Signed in.', schema: tokensResponse },
    problems: [
      ...ofSignIn,
      'invalid_passkey',
      'passkey_expired',
      'email_not_verified',
      'account_disabled',
      'invalid_dpop_proof',
    ],
    handle: async ({ request, response, body }) => {
      switchedOn(deps);
      const { challenge, credential } = body;
      const parameters = { passkey_challenge: challenge, passkey: credential };
      return redeem({ request, response }, clientFor(body.clientId), parameters);
    },
  });

const secondFactor = (deps: PasskeyApiDeps, { clientFor, redeem }: SignInSteps) =>
  endpoint({
    method: 'post',
    path: '/auth/login/passkey',
    summary: 'Sign in: a passkey as second factor',
    description:
      'Finishes a sign-in that `/auth/login` answered with `second_factor_required`, if its `methods` have `passkey`. `credential` is the answer to the options in its member `passkey`. The challenge is the same as for a code: for one client and one sign-in, and for five minutes.',
    body: passkeyLoginBody,
    success: { status: 200, description: 'Signed in.', schema: tokensResponse },
    problems: [
      ...ofSignIn,
      'invalid_passkey',
      'second_factor_expired',
      'account_disabled',
      'invalid_dpop_proof',
    ],
    handle: async ({ request, response, body }) => {
      switchedOn(deps);
      const { challenge, credential } = body;
      const parameters = { second_factor_challenge: challenge, passkey: credential };
      return redeem({ request, response }, clientFor(body.clientId), parameters);
    },
  });

const ofOwner = [
  'passkeys_disabled',
  'invalid_token',
  'insufficient_user_authentication',
  'client_not_allowed',
  'too_many_passkeys',
  'too_many_requests',
] as const;

const offer = (deps: PasskeyApiDeps) =>
  endpoint({
    method: 'post',
    path: '/user/passkeys/options',
    summary: 'Add a passkey: the options',
    description:
      'Gives the options for `navigator.credentials.create`. The access token must be one of a first-party client, and the person must have signed in at most ten minutes ago, with a second factor if the account has one. `challenge` goes to `/user/passkeys` together with the answer, within five minutes.',
    security: 'bearer',
    success: { status: 200, description: 'The options.', schema: passkeyOffer },
    problems: ofOwner,
    handle: async ({ bearer }) => switchedOn(deps).offer(await ownerOf(deps, bearer)),
  });

const add = (deps: PasskeyApiDeps) =>
  endpoint({
    method: 'post',
    path: '/user/passkeys',
    summary: 'Add a passkey',
    description:
      'Adds the passkey to the account. If it is the first second factor of the account, the answer has recovery codes: show them to the person, because they can’t be read again. The person gets a mail.',
    security: 'bearer',
    body: passkeyBody,
    success: { status: 201, description: 'Added.', schema: passkeyAdded },
    problems: [...ofOwner, 'invalid_passkey', 'passkey_expired', 'passkey_exists'],
    handle: async ({ bearer, body }) => {
      const { challenge, credential: answer, name = '' } = body;
      return switchedOn(deps).add(await ownerOf(deps, bearer), { challenge, answer, name });
    },
  });

/** The person that the token stands for. Only an app of ours may change how a person signs in. */
async function ownerOf(deps: PasskeyApiDeps, bearer: string): Promise<AppOwner> {
  const token = await deps.verifyAccessToken(bearer);
  if (!token)
    throw new GatehouseError('invalid_token', 'The access token is missing, expired, revoked or not ours.');
  // RFC 9449 §7.2: if a bound token were accepted as a Bearer token, a thief could use it.
  if (token.cnf)
    throw new GatehouseError('invalid_token', 'This access token is bound to a key; send one that is not.');
  if (!deps.client(token.client_id)?.firstParty)
    throw new GatehouseError('client_not_allowed', 'Only a first-party app may add passkeys.');
  return {
    accountId: token.sub,
    tokenVersion: token.generation,
    clientId: token.client_id,
    acr: token.acr,
    authTime: token.auth_time,
  };
}

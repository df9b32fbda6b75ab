import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { SignedIn } from '../../accounts/sign-in.ts';
import { epochSeconds } from '../../lib/clock.ts';
import { GatehouseError } from '../../lib/errors.ts';
import { newId } from '../../lib/ids.ts';
import type { PasskeyAnswer } from '../../lib/passkey-answers.ts';
import { clientOf } from '../current-request.ts';
import type { OidcServices } from '../services.ts';
import { preloadSignIn } from '../sessions/accounts-view.ts';
import { grantIdOf } from '../tokens/grants.ts';
import { audienceAsResource, nothingPermitted } from '../tokens/token-policy.ts';
import { type GrantSteps, requestedScopes, requiredParameter, type TokenGrant } from './grant.ts';

type Services = Pick<
  OidcServices,
  | 'signIn'
  | 'secondStep'
  | 'passkeySignIn'
  | 'appOrigins'
  | 'policy'
  | 'accounts'
  | 'clientTokenVersions'
  | 'clock'
  | 'denylist'
  | 'reads'
  | 'sessionsAtClients'
>;

/**
 * The resource owner password credentials grant (RFC 6749 §4.3), for first-party clients only. It issues through the
 * same models as the code flow, so it has the same kind of family and is revoked in the same way. It has no session and
 * no row for the grant.
 *
 * An account with a second factor needs the parameter `otp` too, which is ours: the code of the authenticator app, or a
 * recovery code. `second_factor_challenge` replaces the password in the second step of the JSON API.
 *
 * The JSON API also passes the answer of a passkey, as `passkey` and `passkey_challenge`. The token endpoint does not take
 * these parameters.
 */
export function createPasswordGrant(services: Services): TokenGrant {
  return {
    name: 'password',
    parameters: ['username', 'password', 'scope', 'audience', 'otp', 'second_factor_challenge'],
    handler: (provider, steps) => (ctx) => redeem(services, provider, steps, ctx),
  };
}

async function redeem(
  services: Services,
  provider: Provider,
  steps: GrantSteps,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  const { policy, accounts, clientTokenVersions, clock } = services;
  const client = clientOf(ctx);
  if (!client.firstParty)
    throw new errors.UnauthorizedClient('this client may not sign people in by password');
  const signIn = signInOf(services, ctx);
  const scopes = requestedScopes(ctx) ?? [...client.scopes];
  const refused = scopes.find((scope) => !client.scopes.includes(scope));
  if (refused) throw new errors.InvalidScope(`this client may not ask for ${printable(refused)}`, refused);

  const named = ctx.oidc.params?.resource ?? audienceAsResource(policy, ctx, new Set(scopes));
  // First, so that a request that can only fail is refused before the password is checked.
  policy.audience(client, new Set(scopes), named);
  const dPoP = await steps.validateDpop(ctx);
  steps.checkDpopRequired(ctx, dPoP);
  const account = await signIn().catch(asProtocolError);
  const permitted = new Set(policy.permitted(scopes, accounts.permissionsOf(account.roles)));
  if (permitted.size === 0) throw nothingPermitted();
  const resource = policy.audience(client, permitted, named);
  Object.assign(ctx.oidc.params ?? {}, { resource });
  const family = {
    familyId: newId('fam'),
    tokenVersion: account.tokenVersion,
    clientTokenVersion: clientTokenVersions.of(client.id),
  };
  if (client.backchannelLogoutUri !== undefined) {
    // There is no session of a browser: the family is what ends.
    Object.assign(family, { sid: family.familyId });
    const session = { sid: family.familyId, accountId: account.id, tokenVersion: account.tokenVersion };
    if (!(await services.sessionsAtClients.join(client, session)))
      throw new errors.InvalidGrant('this sign-in was ended');
  }
  await preloadSignIn(services, account.id, { ...family, clientId: client.id });
  const grant = await steps.validateGrant(ctx, grantIdOf({ accountId: account.id, clientId: client.id }));
  const source = new provider.AuthorizationCode({
    accountId: account.id,
    client: ctx.oidc.client,
    grantId: grant.jti,
    scope: scopes.join(' '),
    resource,
    authTime: epochSeconds(clock),
    ...account.methods,
  } as never);
  Object.assign(source, family);
  ctx.oidc.entity('AuthorizationCode', source);
  await steps.issueTokens(ctx, source, grant, { gty: 'password', entityLabel: 'password', dPoP });
  // RFC 6749 §5.1 allows more members: clients ignore those that they don't know.
  if (account.needsNewPassword) Object.assign(ctx.body as object, { new_password_needed: true });
}

/** Reads the credentials. The result checks them. */
function signInOf(
  {
    signIn,
    secondStep,
    passkeySignIn,
    appOrigins: origins,
  }: Pick<Services, 'signIn' | 'secondStep' | 'passkeySignIn' | 'appOrigins'>,
  ctx: KoaContextWithOIDC,
): () => Promise<SignedIn> {
  const { id: clientId, requireSecondFactor: needsSecondFactor } = clientOf(ctx);
  const { otp, second_factor_challenge: challenge, passkey_challenge: sealed } = ctx.oidc.params ?? {};
  const answer = ctx.oidc.params?.passkey as PasskeyAnswer | undefined;
  if (answer && passkeySignIn && typeof sealed === 'string')
    return () => passkeySignIn.finish({ sealed, answer, origins, clientId });
  if (typeof challenge === 'string') {
    const code = answer ? undefined : requiredParameter(ctx, 'otp');
    return () => secondStep.finish({ challenge, code, passkey: answer, origins, clientId });
  }
  const email = requiredParameter(ctx, 'username');
  const password = requiredParameter(ctx, 'password');
  const code = typeof otp === 'string' && otp !== '' ? otp : undefined;
  return () => signIn({ email, password, code, clientId, needsSecondFactor });
}

const codesForApps: readonly string[] = [
  'email_not_verified',
  'second_factor_required',
  'second_factor_missing',
  'second_factor_expired',
  'invalid_second_factor',
];

/**
 * Converts a refusal of the credentials to a protocol error (RFC 6749 §5.2). Errors of an unreachable store, a full
 * queue or a limit are passed on unchanged, because they are reported in the same way for every grant. For a second
 * factor, or a proof of the address, the description is the code, so that an app can tell what to ask for.
 */
function asProtocolError(error: unknown): never {
  if (!(error instanceof GatehouseError) || error.status >= 500 || error.status === 429) throw error;
  const description = codesForApps.includes(error.code) ? error.code : error.message;
  const refused = new errors.InvalidGrant(error.code);
  throw Object.assign(refused, { error_description: description, cause: error });
}

const printable = (text: string) => text.replace(/[^\x21\x23-\x5b\x5d-\x7e]/g, '?').slice(0, 100);

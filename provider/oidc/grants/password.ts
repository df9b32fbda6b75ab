import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { GatehouseError } from '../../lib/errors.ts';
import { newId } from '../../lib/ids.ts';
import type { Account } from '../../ports/account-store.ts';
import type { GrantSteps, TokenGrant } from './grant.ts';
import { requestedScopes, requiredParameter } from './parameter.ts';

export interface PasswordGrantDeps {
  /** The one way to sign in. Throws GatehouseError. */
  signIn(credentials: { email: string; password: string; clientId: string }): Promise<Account>;
  client(id: string): { firstParty: boolean; scopes: readonly string[] } | undefined;
  /** The audience asked for, or the client's own; throws `invalid_target` for one it may not have. */
  audience(clientId: string, scopes: ReadonlySet<string>, asked: unknown): string;
  grantIdOf(accountId: string, clientId: string): string;
  /** What a client is issued under now. */
  clientTokenVersion(clientId: string): number;
  /** Seconds since the epoch. */
  epochSeconds(): number;
}

/**
 * The resource owner password credentials grant (RFC 6749 §4.3), for first-party clients only. It issues through the
 * same models as the code flow: one family, one way to revoke; no session, and no row for the grant.
 */
export function createPasswordGrant(deps: PasswordGrantDeps): TokenGrant {
  return {
    name: 'password',
    parameters: ['username', 'password', 'scope'],
    handler: (provider, steps) => (ctx) => redeem(deps, provider, steps, ctx),
  };
}

async function redeem(
  deps: PasswordGrantDeps,
  provider: Provider,
  steps: GrantSteps,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  const clientId = ctx.oidc.client?.clientId ?? '';
  const client = deps.client(clientId);
  if (!client?.firstParty)
    throw new errors.UnauthorizedClient('this client may not sign people in by password');
  const email = requiredParameter(ctx, 'username');
  const password = requiredParameter(ctx, 'password');
  const scopes = requestedScopes(ctx) ?? [...client.scopes];
  const refused = scopes.find((scope) => !client.scopes.includes(scope));
  if (refused) throw new errors.InvalidScope(`this client may not ask for ${printable(refused)}`, refused);

  const resource = deps.audience(clientId, new Set(scopes), ctx.oidc.params?.resource);
  Object.assign(ctx.oidc.params ?? {}, { resource });
  const dPoP = await steps.validateDpop(ctx);
  steps.checkDpopRequired(ctx, dPoP);
  const account = await deps.signIn({ email, password, clientId }).catch(told);
  const grant = await steps.validateGrant(ctx, deps.grantIdOf(account.id, clientId));
  const source = new provider.AuthorizationCode({
    accountId: account.id,
    client: ctx.oidc.client,
    grantId: grant.jti,
    scope: scopes.join(' '),
    resource,
    authTime: deps.epochSeconds(),
    amr: ['pwd'],
  } as never);
  const { tokenVersion } = account;
  const clientTokenVersion = deps.clientTokenVersion(clientId);
  Object.assign(source, { familyId: newId('fam'), tokenVersion, clientTokenVersion });
  ctx.oidc.entity('AuthorizationCode', source);
  await steps.issueTokens(ctx, source, grant, { gty: 'password', entityLabel: 'password', dPoP });
}

/**
 * What the credentials are to blame for, in the protocol's words (RFC 6749 §5.2). A store that is away and a full queue go on
 * as they are: whoever called the grant tells those, as for every grant.
 */
function told(error: unknown): never {
  if (!(error instanceof GatehouseError) || error.status >= 500 || error.status === 429) throw error;
  const refused = new errors.InvalidGrant(error.code);
  throw Object.assign(refused, { error_description: error.message, cause: error });
}

const printable = (text: string) => text.replace(/[^\x21\x23-\x5b\x5d-\x7e]/g, '?').slice(0, 100);

import { errors, type KoaContextWithOIDC, type Provider, type RefreshToken } from 'oidc-provider';
import type { GrantSteps, TokenGrant } from './grant.ts';
import { requestedScopes, requiredParameter } from './parameter.ts';

type Payload = Record<string, unknown>;

export interface RefreshTokenGrantDeps {
  refreshTokens: {
    generate(familyId: string): string;
    find(
      value: string,
    ): Promise<
      | { state: 'current'; familyId: string; payload: Payload }
      | { state: 'spent'; familyId: string; clientId: string }
      | undefined
    >;
    rotate(from: string, to: string, payload: Payload): Promise<boolean>;
  };
  endFamily(familyId: string): Promise<void>;
  isSessionAlive(provider: Provider, token: RefreshToken): Promise<boolean>;
  client(id: string): { firstParty: boolean; scopes: readonly string[] } | undefined;
  /**
   * The audience of a token for these scopes: the one asked for, else out of those the family was granted. Throws
   * `invalid_target` or `invalid_scope` when there can be none.
   */
  audience(clientId: string, scopes: ReadonlySet<string>, granted: readonly string[], asked: unknown): string;
  /** Notes that the family is in use; gives what its next refresh token remembers of that. */
  noteUse(token: RefreshToken): number;
  reused(fields: { familyId: string; clientId: string }): void;
}

/** A refresh token with the fields of ours. */
type OurRefreshToken = RefreshToken & { familyId: string; generation: number; sessionSid?: string };

/**
 * The refresh token grant (RFC 6749 §6), in place of the library's, which spends a token by find-then-save and answers
 * reuse by ending everything the person ever granted the client (DESIGN §6.1, §6.2). Here: find, check and sign, then one
 * compare-and-set that settles who was first. Every use rotates, for every kind of client; reuse ends the family and
 * no other (RFC 9700 §4.14.2).
 */
export function createRefreshTokenGrant(deps: RefreshTokenGrantDeps): TokenGrant {
  return {
    name: 'refresh_token',
    parameters: ['refresh_token', 'scope'],
    handler: (provider, steps) => (ctx) => redeem(deps, provider, steps, ctx),
  };
}

async function redeem(
  deps: RefreshTokenGrantDeps,
  provider: Provider,
  steps: GrantSteps,
  ctx: KoaContextWithOIDC,
): Promise<void> {
  const value = requiredParameter(ctx, 'refresh_token');
  const dPoP = await steps.validateDpop(ctx);
  steps.checkDpopRequired(ctx, dPoP);
  const token = await findOwn(deps, provider, ctx, value);
  const grant = await steps.validateGrant(ctx, token.grantId ?? '');
  const scopes = scopesFor(deps, ctx, token);
  if (token.jkt && token.jkt !== dPoP?.thumbprint) throw new errors.InvalidGrant('failed jkt verification');
  await steps.checkDpopReplay(ctx, dPoP, token.clientId ?? '');
  ctx.oidc.entity('RefreshToken', token);
  ctx.oidc.entity('Grant', grant);
  const account = await steps.validateAccount(ctx, token, 'refresh token');
  ctx.oidc.entity('Account', account);

  const accessToken = steps.createAccessToken(ctx, token, 'refresh_token');
  if (dPoP) accessToken.setThumbprint('jkt', dPoP.thumbprint);
  const granted = [token.resource ?? []].flat();
  const resource = deps.audience(token.clientId ?? '', scopes, granted, ctx.oidc.params?.resource);
  Object.assign(ctx.oidc.params ?? {}, { resource });
  // Fewer scopes than granted may leave none of the API's: then the token is for userinfo alone.
  const source = Object.create(token, { resource: { value: resource } });
  await steps.resolveAndApplyResource(ctx, source, accessToken, grant, scopes);
  ctx.oidc.entity('AccessToken', accessToken);
  const signed = await accessToken.save();
  const idToken = await steps.issueIdToken(ctx, token, accessToken, grant, scopes);

  const next = deps.refreshTokens.generate(token.familyId);
  const settled = await deps.refreshTokens.rotate(value, next, await successor(deps, provider, ctx, token));
  if (!settled) return reused(deps, { familyId: token.familyId, clientId: token.clientId ?? '' });
  ctx.body = steps.buildTokenResponse({
    accessToken: signed,
    expiresIn: accessToken.expiration,
    idToken,
    refreshToken: next,
    scope: accessToken.scope,
    tokenType: accessToken.tokenType,
  });
}

async function findOwn(
  deps: RefreshTokenGrantDeps,
  provider: Provider,
  ctx: KoaContextWithOIDC,
  value: string,
): Promise<OurRefreshToken> {
  const clientId = ctx.oidc.client?.clientId;
  const found = await deps.refreshTokens.find(value);
  if (!found) throw new errors.InvalidGrant('refresh token not found');
  const owner = found.state === 'current' ? found.payload.clientId : found.clientId;
  if (owner !== clientId) throw new errors.InvalidGrant('client mismatch');
  if (found.state === 'spent') return reused(deps, found);
  const token = new provider.RefreshToken({ ...found.payload, client: ctx.oidc.client } as never);
  if (!(await deps.isSessionAlive(provider, token)))
    throw new errors.InvalidGrant('the session this sign-in belongs to has ended');
  return token as OurRefreshToken;
}

async function reused(
  deps: RefreshTokenGrantDeps,
  family: { familyId: string; clientId: string },
): Promise<never> {
  await deps.endFamily(family.familyId);
  deps.reused({ familyId: family.familyId, clientId: family.clientId });
  throw new errors.InvalidGrant('refresh token already used');
}

/** What was granted, or fewer of it (RFC 6749 §6), and no more than the client's document still lists. */
function scopesFor(
  deps: RefreshTokenGrantDeps,
  ctx: KoaContextWithOIDC,
  token: OurRefreshToken,
): Set<string> {
  const listed = deps.client(token.clientId ?? '')?.scopes ?? [];
  const asked = requestedScopes(ctx);
  const excess = asked?.find((scope) => !token.scopes.has(scope));
  if (excess) throw new errors.InvalidScope('refresh token missing requested scope', excess);
  return new Set((asked ?? [...token.scopes]).filter((scope) => listed.includes(scope)));
}

/** The next refresh token of the family: the same sign-in, a fresh idle time, the same absolute end. */
async function successor(
  deps: RefreshTokenGrantDeps,
  provider: Provider,
  ctx: KoaContextWithOIDC,
  token: OurRefreshToken,
): Promise<Payload> {
  const { jti: _jti, iat: _iat, exp: _exp, kind: _kind, ...carried } = token as unknown as Payload;
  const next = new provider.RefreshToken({
    ...carried,
    client: ctx.oidc.client,
    rotations: Number(token.rotations ?? 0) + 1,
    indexedAt: deps.noteUse(token),
  } as never);
  const { payload } = await (
    next as unknown as { getValueAndPayload(): Promise<{ payload: Payload }> }
  ).getValueAndPayload();
  return payload;
}

import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { StoreUnavailable } from '../../lib/errors.ts';
import type { TokenGrant } from './grant.ts';
import { requestedScopes, requiredParameter } from './parameter.ts';
import { answerAgain } from './refresh-again.ts';
import { checkedToken, type RefreshContext } from './refresh-context.ts';
import type {
  CurrentToken,
  OurRefreshToken,
  ReadsQuestion,
  RefreshTokenGrantDeps,
  RefreshTokenPayload,
  SpentToken,
} from './refresh-token-deps.ts';
import { refreshRequest, writeStoredResponse } from './stored-response.ts';

/**
 * The refresh token grant (RFC 6749 §6), in place of the library's, which spends a token by find-then-save and answers
 * reuse by ending everything the person ever granted the client (DESIGN §6.1, §6.2). Here: find, check and sign, then one
 * compare-and-set that settles, with its answer, if it is the first; whoever comes later gets that answer (DESIGN §1, G1).
 * Every use rotates, for every kind of client; reuse ends the family and no other (RFC 9700 §4.14.2).
 */
export function createRefreshTokenGrant<Current extends CurrentToken>(
  deps: RefreshTokenGrantDeps<Current>,
): TokenGrant {
  return {
    name: 'refresh_token',
    parameters: ['refresh_token', 'scope'],
    handler: (provider, steps) => async (ctx) => {
      const arrivedAt = deps.now();
      const value = requiredParameter(ctx, 'refresh_token');
      const proof = await steps.validateDpop(ctx);
      steps.checkDpopRequired(ctx, proof);
      const request = refreshRequest(ctx, proof?.thumbprint);
      await redeem({ deps, provider, steps, ctx, value, proof, request, arrivedAt });
    },
  };
}

async function redeem<Current extends CurrentToken>(refreshContext: RefreshContext<Current>): Promise<void> {
  const { steps, ctx, proof } = refreshContext;
  const found = await findOwn(refreshContext);
  await steps.checkDpopReplay(ctx, proof, ctx.oidc.client?.clientId ?? '');
  if (found.state === 'spent') return answerAgain(refreshContext, found, { sawCurrent: false });
  const spent = await committedOrSpent(refreshContext, found);
  // Who found the token current didn't send it after somebody else had used it: that is no reuse, however slow it was.
  if (spent) await answerAgain(refreshContext, spent, { sawCurrent: true });
}

/** Settles, or gives the token as it is after somebody else was first. */
async function committedOrSpent<Current extends CurrentToken>(
  refreshContext: RefreshContext<Current>,
  found: Current,
): Promise<SpentToken | undefined> {
  let current = found;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const tried = current;
    if (await refreshContext.deps.onRecentReads((question) => settle(refreshContext, tried, question)))
      return undefined;
    const now = await findOwn(refreshContext);
    if (now.state === 'spent') return now;
    current = now;
  }
  // Current, and yet it can't be spent: a store that fails over may say so for a moment.
  throw new StoreUnavailable('the store of refresh tokens', new Error('not spent, and current still'));
}

async function findOwn<Current extends CurrentToken>({
  deps,
  ctx,
  value,
}: RefreshContext<Current>): Promise<Current | SpentToken> {
  const found = await deps.refreshTokens.find(value);
  if (!found) throw new errors.InvalidGrant('refresh token not found');
  const owner = found.state === 'current' ? found.payload.clientId : found.clientId;
  if (owner !== ctx.oidc.client?.clientId) throw new errors.InvalidGrant('client mismatch');
  if (found.state === 'forgotten') {
    deps.forgotten({ familyId: found.familyId, clientId: found.clientId });
    throw new errors.InvalidGrant('refresh token is newer than what the store knows');
  }
  return found;
}

/** Issues, and spends the token with the answer in one step. False when somebody else was first: then nothing was issued. */
async function settle<Current extends CurrentToken>(
  refreshContext: RefreshContext<Current>,
  found: Current,
  question: ReadsQuestion,
): Promise<boolean> {
  const { deps, ctx, value, request } = refreshContext;
  const token = await checkedToken(refreshContext, found.payload);
  // It is answered while the tokens are signed.
  question.ask();
  const to = deps.refreshTokens.after(value);
  const body = { ...(await issue(refreshContext, token)), refresh_token: to };
  const clientId = token.clientId ?? '';
  const payload = await successor(refreshContext, token);
  await question.confirm();
  const settled = await deps.refreshTokens.rotate({
    from: value,
    found,
    to,
    payload,
    answer: writeStoredResponse(request, body),
    answerSeconds: answerSeconds(deps.graceSeconds(clientId)),
  });
  if (settled) ctx.body = body;
  return settled;
}

/** A request that came at the end of the grace is judged a little after it. Without a grace there is no answer to keep. */
const answerSeconds = (graceSeconds: number) => (graceSeconds === 0 ? 0 : graceSeconds + slowestSeconds);

/** How long a request may be under way and still get its answer. */
const slowestSeconds = 5;

/** Signs an access token, and an id token where there is one; nothing is stored. */
async function issue<Current extends CurrentToken>(
  { deps, steps, ctx, proof }: RefreshContext<Current>,
  token: OurRefreshToken,
): Promise<Record<string, unknown>> {
  const grant = ctx.oidc.entities.Grant;
  if (!grant) throw new Error('the grant was not looked for');
  const scopes = scopesFor(deps, ctx, token);
  const accessToken = steps.createAccessToken(ctx, token, 'refresh_token');
  if (proof) accessToken.setThumbprint('jkt', proof.thumbprint);
  const granted = [token.resource ?? []].flat();
  const resource = deps.audience(token.clientId ?? '', scopes, granted, ctx.oidc.params?.resource);
  Object.assign(ctx.oidc.params ?? {}, { resource });
  // Fewer scopes than granted may leave none of the API's: then the token is for userinfo alone.
  const source = Object.create(token, { resource: { value: resource } });
  await steps.resolveAndApplyResource(ctx, source, accessToken, grant, scopes);
  ctx.oidc.entity('AccessToken', accessToken);
  const signed = await accessToken.save();
  return steps.buildTokenResponse({
    accessToken: signed,
    expiresIn: accessToken.expiration,
    idToken: await steps.issueIdToken(ctx, token, accessToken, grant, scopes),
    scope: accessToken.scope,
    tokenType: accessToken.tokenType,
  });
}

/** What was granted, or fewer of it (RFC 6749 §6), and no more than the client's document still lists. */
function scopesFor(
  deps: Pick<RefreshTokenGrantDeps, 'client'>,
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
async function successor<Current extends CurrentToken>(
  { deps, provider, ctx }: RefreshContext<Current>,
  token: OurRefreshToken,
): Promise<RefreshTokenPayload> {
  const {
    jti: _jti,
    iat: _iat,
    exp: _exp,
    kind: _kind,
    ...carried
  } = token as unknown as RefreshTokenPayload;
  const next = new provider.RefreshToken({
    ...carried,
    client: ctx.oidc.client,
    rotations: Number(token.rotations ?? 0) + 1,
  } as never);
  Object.assign(next, { indexedAt: deps.touchFamily(next) });
  const { payload } = await (
    next as unknown as { getValueAndPayload(): Promise<{ payload: RefreshTokenPayload }> }
  ).getValueAndPayload();
  return payload;
}

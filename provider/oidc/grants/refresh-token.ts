import { errors } from 'oidc-provider';
import { epochSeconds } from '../../lib/clock.ts';
import { StoreUnavailable } from '../../lib/errors.ts';
import type { ReadsQuestion } from '../../revocation/recent-reads.ts';
import { clientOf } from '../current-request.ts';
import { leavesOutIdToken } from '../patches/requests.ts';
import type { OidcServices } from '../services.ts';
import { touchFamily } from '../sessions/sign-ins.ts';
import type {
  CurrentRefreshToken,
  RefreshTokenPayload,
  SpentRefreshToken,
} from '../storage/refresh-tokens.ts';
import { nothingPermitted } from '../tokens/token-policy.ts';
import { requiredParameter, type TokenGrant } from './grant.ts';
import {
  checkedToken,
  meantScopes,
  type OurRefreshToken,
  permittedScopes,
  type RefreshContext,
  refreshFields,
  refreshRequest,
  writeStoredResponse,
} from './refresh-context.ts';
import { repeatRefresh } from './repeated-refresh.ts';

/**
 * The refresh token grant (RFC 6749 §6). It replaces the library's grant. That one spends a token in two steps (find,
 * then save), and at reuse it ends everything that the person ever granted to the client (DESIGN §6.1, §6.2). This
 * grant finds and checks the token and signs the new ones. Then one compare-and-set commits the rotation with its
 * response, if the request is the first. Later redemptions get that response (DESIGN §1, G1). Every use rotates the
 * token, for every kind of client. Reuse ends only one family (RFC 9700 §4.14.2).
 */
export function createRefreshTokenGrant(services: OidcServices): TokenGrant {
  return {
    name: 'refresh_token',
    parameters: ['refresh_token', 'scope'],
    handler: (provider, steps) => async (ctx) => {
      const arrivedAt = services.clock.now();
      const value = requiredParameter(ctx, 'refresh_token');
      const proof = await steps.validateDpop(ctx);
      steps.checkDpopRequired(ctx, proof);
      const request = refreshRequest(ctx, proof?.thumbprint);
      const graceSeconds = clientOf(ctx).graceSeconds ?? services.config.graceSeconds;
      await redeem({ services, provider, steps, ctx, value, proof, request, arrivedAt, graceSeconds });
    },
  };
}

async function redeem(context: RefreshContext): Promise<void> {
  const { steps, ctx, proof } = context;
  const found = await findOwn(context);
  await steps.checkDpopReplay(ctx, proof, clientOf(ctx).id);
  if (found.state === 'spent') return repeatRefresh(context, found, { sawCurrent: false, issue });
  const spent = await commitOrFindSpent(context, found);
  // This request found the token current, so it was sent before another request used the token. That is no reuse,
  // however slow the request was.
  if (spent) await repeatRefresh(context, spent, { sawCurrent: true, issue });
}

/** Commits the rotation. If another request was first, returns the spent token. */
async function commitOrFindSpent(
  context: RefreshContext,
  found: CurrentRefreshToken,
): Promise<SpentRefreshToken | undefined> {
  let current = found;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const tried = current;
    if (
      await context.services.reads.optimistic((question) => issueAndCommitRotation(context, tried, question))
    )
      return undefined;
    const now = await findOwn(context);
    if (now.state === 'spent') return now;
    current = now;
  }
  // During a failover, a store may say for a moment that the token is current, and still refuse to spend it.
  throw new StoreUnavailable('the store of refresh tokens', new Error('not spent, and current still'));
}

/** Finds the token, if it is this client's. */
async function findOwn({
  services,
  ctx,
  value,
}: RefreshContext): Promise<CurrentRefreshToken | SpentRefreshToken> {
  const found = await services.refreshTokens.find(value);
  if (!found || found.state === 'gone') throw new errors.InvalidGrant('refresh token not found');
  if (found.family.clientId !== clientOf(ctx).id) throw new errors.InvalidGrant('client mismatch');
  if (found.state === 'forgotten') {
    services.logger.warn(refreshFields(found.family), 'refresh token is newer than the store');
    throw new errors.InvalidGrant('refresh token is newer than what the store knows');
  }
  return found;
}

/**
 * Issues tokens, and spends the refresh token together with the response in one step.
 * @returns false when another request was first: then nothing was issued
 */
async function issueAndCommitRotation(
  context: RefreshContext,
  found: CurrentRefreshToken,
  question: ReadsQuestion,
): Promise<boolean> {
  const { services, ctx, request, graceSeconds } = context;
  const token = await checkedToken(context, found.payload);
  // The store answers while the tokens are signed.
  question.ask();
  const to = services.refreshTokens.successorOf(found.token);
  const body = { ...(await issue(context, token)), refresh_token: to };
  const payload = successorPayload(context, found.payload, token);
  await question.confirm();
  const isCommitted = await services.refreshTokens.rotate({
    found,
    to,
    payload,
    keptResponse: keptResponse(graceSeconds, writeStoredResponse(request, body)),
  });
  if (isCommitted) ctx.body = body;
  return isCommitted;
}

/** For how long a request may be under way and still get the stored response. */
const slowestSeconds = 5;

/**
 * A request that arrives at the end of the grace is answered a little later. Without a grace, no response is stored at all:
 * one that is stored for 0 seconds is found by a request that read its clock a moment before.
 */
const keptResponse = (graceSeconds: number, text: string) =>
  graceSeconds === 0 ? undefined : { text, seconds: graceSeconds + slowestSeconds };

/**
 * Signs an access token, and an id token where there is one; nothing is stored. The token gets the resource of this
 * request.
 */
async function issue(context: RefreshContext, token: OurRefreshToken): Promise<Record<string, unknown>> {
  const { services, steps, ctx, proof } = context;
  const grant = ctx.oidc.entities.Grant;
  if (!grant) throw new Error('the grant was not looked for');
  const scopes = scopesFor(context, token);
  if (scopes.size === 0) throw nothingPermitted();
  const accessToken = steps.createAccessToken(ctx, token, 'refresh_token');
  if (proof) accessToken.setThumbprint('jkt', proof.thumbprint);
  const granted = [token.resource ?? []].flat();
  const resource = services.policy.audience(clientOf(ctx), scopes, ctx.oidc.params?.resource, granted);
  Object.assign(ctx.oidc.params ?? {}, { resource });
  // Fewer scopes than granted may leave none of the API's: then the token is for userinfo only.
  // Core §12.2: the id token of a refresh has no nonce.
  Object.assign(token, { resource, nonce: undefined });
  await steps.resolveAndApplyResource(ctx, token, accessToken, grant, scopes);
  ctx.oidc.entity('AccessToken', accessToken);
  const signed = await accessToken.save();
  const idToken = leavesOutIdToken(ctx)
    ? undefined
    : await steps.issueIdToken(ctx, token, accessToken, grant, scopes);
  return steps.buildTokenResponse({
    accessToken: signed,
    expiresIn: accessToken.expiration,
    idToken,
    scope: accessToken.scope,
    tokenType: accessToken.tokenType,
  });
}

/**
 * The granted scopes, or fewer (RFC 6749 §6). Scopes that the client's document does not list any more are left out, and
 * so are those that the person has no permission for now.
 */
function scopesFor(context: RefreshContext, token: OurRefreshToken): Set<string> {
  const listed = clientOf(context.ctx).scopes;
  const meant = meantScopes(token, context.request.scope);
  const excess = meant.find((scope) => !token.scopes.has(scope));
  if (excess) throw new errors.InvalidScope('refresh token missing requested scope', excess);
  return new Set(
    permittedScopes(
      context,
      meant.filter((scope) => listed.includes(scope)),
    ),
  );
}

/**
 * The stored form of the next refresh token of the family: the same sign-in, a fresh idle time, the same absolute end.
 *
 * @param payload of the token that is spent, `token` as the library's model
 */
function successorPayload(
  { services }: RefreshContext,
  { jti: _jti, ...carried }: RefreshTokenPayload,
  token: OurRefreshToken,
): RefreshTokenPayload {
  const iat = epochSeconds(services.clock);
  const next = {
    ...carried,
    iat,
    exp: iat + token.expiration,
    rotations: Number(carried.rotations ?? 0) + 1,
  };
  return { ...next, indexedAt: touchFamily(next, services) };
}

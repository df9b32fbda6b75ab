import { errors } from 'oidc-provider';
import { clientOf } from '../current-request.ts';
import type { SpentRefreshToken } from '../storage/refresh-tokens.ts';
import {
  asksTheSame,
  checkedToken,
  meantScopes,
  type OurRefreshToken,
  permittedScopes,
  type RefreshContext,
  readStoredResponse,
  refreshFields,
  type StoredResponse,
} from './refresh-context.ts';

/**
 * The result of a repeated redemption. Either it got the stored response (with an access token for another key, where
 * the client authenticates), or its successor was used already, or the stored response belongs to another request or
 * key, or the response to the first redemption is not kept any more.
 */
type RepeatOutcome = 'answered' | 'superseded' | 'refused' | 'lapsed';

/** Signs an access token for the request's key, and an id token where there is one; nothing is stored. */
type IssueTokens = (context: RefreshContext, token: OurRefreshToken) => Promise<Record<string, unknown>>;

/**
 * Answers a redemption that is not the first. Within the grace it gets exactly the response to the first redemption, as
 * long as the new refresh token is unused. The checks are the same as for the first redemption. After the grace it is
 * reuse (RFC 9700 §4.14.2) and ends the family. There are two exceptions: the request itself found the token current;
 * or the request lacks the key that the family is bound to, so the sender is not the client.
 */
export async function repeatRefresh(
  context: RefreshContext,
  spent: SpentRefreshToken,
  { sawCurrent, issue }: { sawCurrent: boolean; issue: IssueTokens },
): Promise<void> {
  const { services, ctx, request } = context;
  const { family, successor, storedResponse } = spent;
  if (spent.jkt && spent.jkt !== request.jkt) {
    services.metrics.refreshTokensRepeated.inc({ outcome: 'refused' });
    services.logger.info(refreshFields(family), 'refresh token repeated without its key');
    throw new errors.InvalidGrant('failed jkt verification');
  }
  if (!sawCurrent && !isWithinGrace(context, spent)) return endReusedFamily(context, spent);
  if (successor === undefined) {
    report(context, spent, 'superseded');
    throw new errors.InvalidGrant('refresh token already used, and so was its successor');
  }
  if (storedResponse === undefined) {
    report(context, spent, 'lapsed');
    throw new errors.InvalidGrant('refresh token already used, and its answer is not kept any more');
  }
  const token = await services.reads.optimistic(() => checkedToken(context, successor));
  const { body, jkt } = responseFor(context, token, spent, readStoredResponse(storedResponse));
  report(context, spent, 'answered');
  // This request may have signed an access token before another request was first. It is not issued, and not counted.
  ctx.oidc.entity('AccessToken', undefined);
  // RFC 9449 §5: the refresh token of a client that authenticates is not bound to a key. Such a client may lose the
  // first response together with its key, and then sends another key.
  ctx.body =
    jkt === request.jkt
      ? body
      : { ...body, ...(await issue(context, token)), refresh_token: body.refresh_token };
}

/**
 * Returns the stored response, if this request asks for the same scopes and resources, and has the same key or comes
 * from a client that authenticates.
 */
function responseFor(
  context: RefreshContext,
  token: OurRefreshToken,
  spent: SpentRefreshToken,
  stored: StoredResponse,
): StoredResponse {
  const { request } = context;
  if (stored.jkt !== request.jkt && clientOf(context.ctx).auth === 'none') {
    report(context, spent, 'refused');
    throw new errors.InvalidGrant('the answer to this refresh token was given to another key');
  }
  const meant = (scope: string | undefined) => permittedScopes(context, meantScopes(token, scope));
  if (!asksTheSame(request, stored, meant)) {
    report(context, spent, 'refused');
    throw new errors.InvalidRequest('refresh token already used with another scope or resource');
  }
  return stored;
}

/** A request that arrived before the token was spent is within the grace, even if that is 0. */
function isWithinGrace({ graceSeconds, arrivedAt }: RefreshContext, { spentAt }: SpentRefreshToken): boolean {
  return spentAt !== undefined && arrivedAt - spentAt < graceSeconds * 1000;
}

async function endReusedFamily({ services }: RefreshContext, { family }: SpentRefreshToken): Promise<never> {
  await services.revocation.endFamily(family.id, { reused: true, family });
  services.metrics.refreshTokensReused.inc();
  services.logger.warn(refreshFields(family), 'refresh token reused, family ended');
  throw new errors.InvalidGrant('refresh token already used');
}

function report({ services }: RefreshContext, { family }: SpentRefreshToken, outcome: RepeatOutcome): void {
  services.metrics.refreshTokensRepeated.inc({ outcome });
  services.logger.info({ ...refreshFields(family), outcome }, 'refresh token repeated');
}

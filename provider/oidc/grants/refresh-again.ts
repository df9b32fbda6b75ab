import { errors } from 'oidc-provider';
import { checkedToken, type RefreshContext } from './refresh-context.ts';
import type { CurrentToken, OurRefreshToken, RepeatOutcome, SpentToken } from './refresh-token-deps.ts';
import { asksTheSame, readStoredResponse } from './stored-response.ts';

/**
 * What a redemption gets that isn't the first. Within the grace the first one's answer, byte for byte, as long as its
 * refresh token is unused; the checks are made as for the first. Afterwards it is reuse (RFC 9700 §4.14.2), unless it
 * saw the token `current` itself, or comes from who lacks the key that the family is bound to: that isn't the client.
 */
export async function answerAgain<Current extends CurrentToken>(
  refreshContext: RefreshContext<Current>,
  spent: SpentToken,
  { sawCurrent }: { sawCurrent: boolean },
): Promise<void> {
  const { deps, ctx, request } = refreshContext;
  const { familyId, clientId, successor, answer } = spent;
  const family = { familyId, clientId };
  const told = (outcome: RepeatOutcome) => deps.repeated(family, outcome);
  if (spent.jkt && spent.jkt !== request.jkt) {
    deps.unproved(family);
    throw new errors.InvalidGrant('failed jkt verification');
  }
  if (!sawCurrent && !cameInTime(refreshContext, spent)) {
    await deps.reused(family);
    throw new errors.InvalidGrant('refresh token already used');
  }
  if (successor === undefined) {
    told('superseded');
    throw new errors.InvalidGrant('refresh token already used, and so was its successor');
  }
  if (answer === undefined) {
    told('lapsed');
    throw new errors.InvalidGrant('refresh token already used, and its answer is not kept any more');
  }
  const token = await deps.onRecentReads(() => checkedToken(refreshContext, successor));
  const { body } = answerFor(refreshContext, token, answer, told);
  told('answered');
  // One that was signed in vain isn't issued, and isn't counted.
  ctx.oidc.entity('AccessToken', undefined);
  ctx.body = body;
}

/** The answer that was given, if this request asks for the same, by the same key. */
function answerFor<Current extends CurrentToken>(
  { request }: RefreshContext<Current>,
  token: OurRefreshToken,
  answer: string,
  told: (outcome: RepeatOutcome) => void,
) {
  const settled = readStoredResponse(answer);
  if (settled.jkt !== request.jkt) {
    told('refused');
    throw new errors.InvalidGrant('the answer to this refresh token was given to another key');
  }
  if (!asksTheSame(request, settled, token.scope ?? '')) {
    told('refused');
    throw new errors.InvalidRequest('refresh token already used with another scope or resource');
  }
  return settled;
}

/** Whether it came within the grace. One that came before the token was spent did, even without a grace. */
function cameInTime<Current extends CurrentToken>(
  { deps, arrivedAt }: RefreshContext<Current>,
  { clientId, spentAt }: SpentToken,
): boolean {
  return spentAt !== undefined && arrivedAt - spentAt < deps.graceSeconds(clientId) * 1000;
}

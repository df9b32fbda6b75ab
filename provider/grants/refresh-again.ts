import { errors } from 'oidc-provider';
import { asksTheSame, readSettled } from './refresh-answer.ts';
import { checkedToken, type Redemption } from './refresh-redemption.ts';
import type { CurrentToken, SpentToken } from './refresh-token-deps.ts';

/**
 * What a redemption gets that isn't the first. Within the grace the first one's answer, byte for byte, as long as its
 * refresh token is unused; the checks are made as for the first. Afterwards it is reuse (RFC 9700 §4.14.2).
 */
export async function answerAgain<Current extends CurrentToken>(
  redemption: Redemption<Current>,
  spent: SpentToken,
): Promise<void> {
  const { deps, ctx, request } = redemption;
  const { familyId, clientId } = spent;
  const family = { familyId, clientId };
  if (!isWithinGrace(redemption, spent)) {
    await deps.reused(family);
    throw new errors.InvalidGrant('refresh token already used');
  }
  if (spent.successor === undefined || spent.answer === undefined) {
    deps.repeated(family, 'superseded');
    throw new errors.InvalidGrant('refresh token already used, and so was its successor');
  }
  const { successor } = spent;
  await deps.onRecentReads(() => checkedToken(redemption, successor));
  const settled = readSettled(spent.answer);
  if (settled.jkt !== request.jkt) {
    deps.repeated(family, 'refused');
    throw new errors.InvalidGrant('the answer to this refresh token was given to another key');
  }
  if (!asksTheSame(request, settled)) {
    deps.repeated(family, 'refused');
    throw new errors.InvalidRequest('refresh token already used with another scope or resource');
  }
  deps.repeated(family, 'answered');
  // One that was signed in vain isn't issued, and isn't counted.
  ctx.oidc.entity('AccessToken', undefined);
  ctx.body = settled.body;
}

function isWithinGrace<Current extends CurrentToken>(
  { deps }: Redemption<Current>,
  { clientId, spentAt }: SpentToken,
): boolean {
  return spentAt !== undefined && deps.now() - spentAt < deps.graceSeconds(clientId) * 1000;
}

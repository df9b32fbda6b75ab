import { noteAccount, noteClient } from '../../lib/request-scope.ts';
import type { Revocation } from '../../revocation/revocation.ts';
import type { OidcServices } from '../services.ts';
import type { RefreshTokenLookup } from '../storage/refresh-tokens.ts';

/** Ends the family of a refresh token that its client sent, without reading the family again. */
export const endFoundFamily = (
  found: RefreshTokenLookup,
  revocation: Pick<Revocation, 'endFamily'>,
): Promise<void> =>
  revocation.endFamily(found.token.familyId, {
    byClient: true,
    family: found.state === 'gone' ? null : found.family,
  });

/** Ends the family of a refresh token of this client (RFC 7009 §2.1). Any other text does nothing. */
export type EndFamilyOf = (clientId: string, refreshToken: string) => Promise<void>;

export function createEndFamilyOf({
  refreshTokens,
  revocation,
  denylist,
}: Pick<OidcServices, 'refreshTokens' | 'revocation' | 'denylist'>): EndFamilyOf {
  return async (clientId, refreshToken) => {
    noteClient(clientId);
    const found = await refreshTokens.find(refreshToken);
    if (!found) return;
    if (found.state === 'gone') {
      // Its access tokens may still be valid. A repeated call writes nothing more.
      if (await denylist.anyRevoked([`family:${found.token.familyId}`])) return;
    } else {
      if (found.family.clientId !== clientId) return;
      noteAccount(found.family.accountId);
    }
    await endFoundFamily(found, revocation);
  };
}

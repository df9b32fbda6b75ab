import type { VerifyDeps } from '../json-api/verify.ts';
import type { Component } from '../lib/lifecycle.ts';
import { noteAccount, noteClient } from '../lib/request-scope.ts';
import {
  type AccessTokenClaims,
  isMachineToken,
  revocationSubjects,
} from '../oidc/tokens/access-token-verifier.ts';
import { revocationKeys } from '../ports/revocation-keys.ts';
import { createOutageTolerance } from '../revocation/outage-tolerance.ts';
import type { Parts } from './compose-deps.ts';
import type { Protocol } from './compose-protocol.ts';

/** What `/auth/verify` needs, and what runs beside it. */
export function composeVerify(
  { accessModel, clock, config, logger, metrics, ports }: Parts,
  { accessTokens, revocation }: Protocol,
): VerifyDeps<AccessTokenClaims> & { jobs: Component[] } {
  const tolerance = createOutageTolerance({
    // Of nobody: what is asked for is an answer.
    probe: () =>
      Promise.all([
        revocation.isRevoked({ jti: 'none', clientId: 'none' }),
        ports.accounts.findById('user_none'),
      ]),
    toleratedSeconds: config.verifyWithoutDenylistSeconds,
    clock,
    logger,
  });
  // What the copy has was revoked, be the copy whole or not.
  const isKnownDead = async (claims: AccessTokenClaims) =>
    (await ports.revocationCache?.anyRevoked(revocationKeys(revocationSubjects(claims)))) === true;
  return {
    read: async (token) => {
      const claims = await accessTokens.read(token);
      if (claims) noteClient(claims.client_id);
      if (claims && !isMachineToken(claims)) noteAccount(claims.sub);
      return claims;
    },
    standing: async (claims) =>
      tolerance.statusOf(
        () => accessTokens.isActive(claims),
        () => isKnownDead(claims),
      ),
    audiences: accessModel.apis.map(({ audience }) => audience),
    defaultAudience: config.audience,
    metrics: { verified: (outcome) => metrics.verifications.inc({ outcome }) },
    jobs: [{ name: 'outages', start: () => tolerance.start(), stop: () => tolerance.stop() }],
  };
}

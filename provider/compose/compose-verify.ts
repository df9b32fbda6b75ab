import type { VerifyDeps } from '../json-api/verify.ts';
import type { Component } from '../lib/lifecycle.ts';
import { noteAccount, noteClient } from '../lib/request-scope.ts';
import type { AccessTokenClaims } from '../oidc/tokens/access-token-claims.ts';
import { isMachineToken, revocationSubjects } from '../oidc/tokens/access-token-verifier.ts';
import { revocationKeys } from '../ports/revocation-keys.ts';
import { createOutageTolerance } from '../revocation/outage-tolerance.ts';
import type { Parts } from './compose-deps.ts';
import type { Protocol } from './compose-protocol.ts';

/** Wires `/auth/verify` and the job that probes the stores for it. */
export function composeVerify(
  { accessModel, clock, config, logger, metrics, ports }: Parts,
  { accessTokens, acrValues, revocation }: Protocol,
): VerifyDeps<AccessTokenClaims> & { jobs: Component[] } {
  const tolerance = createOutageTolerance({
    // The ids do not exist: only whether the stores answer counts.
    probe: () =>
      Promise.all([
        revocation.isRevoked({ jti: 'none', clientId: 'none' }),
        ports.accounts.findById('user_none'),
      ]),
    toleratedSeconds: config.verifyWithoutDenylistSeconds,
    clock,
    logger,
  });
  // A revocation in the cache is certain, even while the cache is incomplete.
  const isKnownDead = async (claims: AccessTokenClaims) =>
    (await ports.revocationCache?.anyRevoked(revocationKeys(revocationSubjects(claims)))) === true;
  return {
    read: async (token) => {
      const claims = await accessTokens.read(token);
      if (claims) noteClient(claims.client_id);
      if (claims && !isMachineToken(claims)) noteAccount(claims.sub);
      return claims;
    },
    tokenStatus: (claims) =>
      tolerance.statusOf(
        () => accessTokens.isActive(claims),
        () => isKnownDead(claims),
      ),
    audiences: accessModel.apis.map(({ audience }) => audience),
    defaultAudience: config.audience,
    acrValues,
    clock,
    metrics: { verified: (outcome) => metrics.verifications.inc({ outcome }) },
    jobs: [{ name: 'outages', start: () => tolerance.start(), stop: () => tolerance.stop() }],
  };
}

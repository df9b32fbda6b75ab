import { epochSeconds } from '../lib/clock.ts';
import { currentRequestScope } from '../lib/request-scope.ts';
import type { ClientDirectory } from '../oidc/client-facts.ts';
import { createClientCredentialsGrant } from '../oidc/grants/client-credentials.ts';
import { createDeviceCodeGrant } from '../oidc/grants/device-code.ts';
import { createPasswordGrant } from '../oidc/grants/password.ts';
import { createRefreshTokenGrant } from '../oidc/grants/refresh-token.ts';
import { knownClient } from '../oidc/known-client.ts';
import { type IndexSignInsDeps, touchFamilyEntry } from '../oidc/patches/index-sign-ins.ts';
import type { GrantDefinition } from '../oidc/provider-factory.ts';
import { isSessionAlive } from '../oidc/sessions/active-sign-ins.ts';
import type { RefreshTokens } from '../oidc/storage/refresh-tokens.ts';
import { grantIdOf } from '../oidc/tokens/grant-id.ts';
import type { TokenPolicy } from '../oidc/tokens/token-policy.ts';
import type { ProtocolParts } from './compose-deps.ts';

export interface GrantParts {
  directory: ClientDirectory;
  policy: TokenPolicy;
  refreshTokens: RefreshTokens;
  noting: IndexSignInsDeps;
}

/** The grants of ours, in place of the library's or beside them. */
export function composeGrants(
  parts: ProtocolParts,
  { directory, policy, refreshTokens, noting }: GrantParts,
): GrantDefinition[] {
  const { accessModel, clock, config, logger, metrics, revocation } = parts;
  const apiScopes = new Set(accessModel.apis.flatMap((api) => api.scopes.map(({ name }) => name)));
  const factsOf = (id: string) => knownClient(directory, id);
  const { pollsTooSoon } = parts.rateLimits;
  return [
    ...(config.deviceFlow ? [createDeviceCodeGrant({ isTooSoon: pollsTooSoon })] : []),
    createClientCredentialsGrant({
      apiScopesOf: (id) => directory.find(id)?.scopes.filter((scope) => apiScopes.has(scope)) ?? [],
      audience: (id, scopes, asked) => policy.audience(factsOf(id), scopes, asked),
    }),
    createPasswordGrant({
      signIn: parts.signIn,
      client: (id) => directory.find(id),
      audience: (id, scopes, asked) => policy.audience(factsOf(id), scopes, asked),
      grantIdOf: (accountId, clientId) => grantIdOf({ accountId, clientId }),
      clientTokenVersion: parts.clientTokenVersion,
      epochSeconds: () => epochSeconds(clock),
    }),
    createRefreshTokenGrant({
      refreshTokens,
      now: () => clock.now(),
      graceSeconds: (id) => directory.find(id)?.graceSeconds ?? config.graceSeconds,
      isSessionAlive: (provider, token) =>
        isSessionAlive(provider.Session, token, (sid) => revocation.isSignedOut(sid)),
      onRecentReads: (work) => parts.reads.optimistic(work),
      client: (id) => directory.find(id),
      audience: (id, scopes, granted, asked) => policy.audience(factsOf(id), scopes, asked, granted),
      touchFamily: (token) => touchFamilyEntry(token, noting),
      repeated: (family, outcome) => {
        metrics.refreshTokensRepeated.inc({ outcome });
        logger.info({ ...family, outcome, ...whereFrom() }, 'a refresh token came again within its grace');
      },
      unproved: (family) => {
        metrics.refreshTokensRepeated.inc({ outcome: 'refused' });
        logger.info(
          { ...family, ...whereFrom() },
          'a spent refresh token came without the key it is bound to',
        );
      },
      forgotten: (family) =>
        logger.warn({ ...family, ...whereFrom() }, 'a refresh token is newer than what the store knows'),
      reused: async (family) => {
        await revocation.endReusedFamily(family.familyId);
        metrics.refreshTokensReused.inc();
        logger.warn({ ...family, ...whereFrom() }, 'a spent refresh token came again: its family was ended');
      },
    }),
  ];
}

/** Theft looks like a lost answer (DESIGN §6.2): whoever looks into it needs to know where each came from. */
function whereFrom() {
  const { clientAddress, userAgent } = currentRequestScope() ?? {};
  return { clientAddress, userAgent };
}

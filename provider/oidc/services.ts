import type { Accounts } from '../accounts/accounts.ts';
import type { PasskeySignIn } from '../accounts/passkey-sign-in.ts';
import type { SecondStep } from '../accounts/second-step.ts';
import type { SignIn } from '../accounts/sign-in.ts';
import type { ClientRegistry } from '../clients/client-registry.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { OidcStore } from '../ports/oidc-store.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import type { KnownClientTokenVersions } from '../revocation/known-client-token-versions.ts';
import type { RecentReads } from '../revocation/recent-reads.ts';
import type { RequestDenylist } from '../revocation/request-denylist.ts';
import type { Revocation } from '../revocation/revocation.ts';
import type { ProtocolPages } from './pages.ts';
import type { PersonClaims } from './sessions/accounts-view.ts';
import type { BrowserBinding } from './sessions/browser-binding.ts';
import type { SessionsAtClients } from './sessions/client-sessions.ts';
import type { SessionEnd } from './sessions/end-session.ts';
import type { SignIns } from './sessions/sign-ins.ts';
import type { RefreshTokens } from './storage/refresh-tokens.ts';
import type { AccessTokenVerifier } from './tokens/access-token-verifier.ts';
import type { Grants } from './tokens/grants.ts';
import type { TokenPolicy } from './tokens/token-policy.ts';

/**
 * Everything that the protocol is built from. Each member is a named type that leads to its implementation;
 * `compose/compose-protocol.ts` fills them. A function takes the members that it needs: `Pick<OidcServices, 'clock'>`.
 */
export interface OidcServices {
  issuer: string;
  config: Config;
  keys: ServerKeys;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  store: OidcStore;
  clients: Pick<
    ClientRegistry,
    'all' | 'find' | 'findAny' | 'isOriginOf' | 'lookup' | 'mayBeThirdParty' | 'metadata' | 'secretMatches'
  >;
  accounts: Pick<Accounts, 'permissionsOf'>;
  signIn: SignIn;
  /** The levels that a sign-in can reach here, the lowest first (`lib/password-sign-in.ts`). */
  acrValues: readonly string[];
  secondStep: Pick<SecondStep, 'finish'>;
  /** Undefined when passkeys are off. */
  passkeySignIn: Pick<PasskeySignIn, 'finish'> | undefined;
  /** Where apps may use passkeys. */
  appOrigins: readonly string[];
  reads: RecentReads;
  denylist: RequestDenylist;
  revocation: Revocation;
  clientTokenVersions: Pick<KnownClientTokenVersions, 'of'>;
  rateLimits: RateLimits;
  policy: TokenPolicy;
  personClaims: PersonClaims;
  grants: Grants;
  accessTokens: AccessTokenVerifier;
  refreshTokens: RefreshTokens;
  signIns: SignIns;
  sessionEnd: SessionEnd;
  sessionsAtClients: SessionsAtClients;
  browserBinding: BrowserBinding;
  pages: ProtocolPages;
}

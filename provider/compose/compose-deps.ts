import type { Accounts } from '../accounts/accounts.ts';
import type { ClientRegistry } from '../clients/client-registry.ts';
import type { AccessModel } from '../config/access-model.ts';
import type { Config } from '../config/schema.ts';
import type { Pages } from '../interactions/pages.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Clock } from '../lib/clock.ts';
import type { Phase } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Tracing } from '../lib/tracing.ts';
import type { Account } from '../ports/account-store.ts';
import type { Denylist } from '../ports/denylist.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import type { RecentReads } from '../revocation/recent-reads.ts';
import type { Ports } from './adapters.ts';
import type { Audit, AuditedRevocation } from './compose-audit.ts';

/** What everything is made from. */
export interface ComposeDeps {
  config: Config;
  accessModel: AccessModel;
  pages: Pages;
  ports: Ports;
  serverKeys: ServerKeys;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Left out where traces are off. */
  tracing?: Tracing | undefined;
  phase(): Phase;
}

/** What the protocol and the public listener are made from besides. */
export interface ProtocolParts extends ComposeDeps {
  accounts: Accounts;
  clients: ClientRegistry;
  keyRing: KeyRing;
  denylist: Denylist;
  /** Accounts and consents, kept as long as nothing says that they changed. */
  reads: RecentReads;
  revocation: AuditedRevocation;
  /** What a client is issued under now, as far as is known here. */
  clientTokenVersion(clientId: string): number;
  audit: Audit;
  rateLimits: RateLimits;
  /** @param input with what a browser says of itself, where there is one */
  signIn(input: {
    email: string;
    password: string;
    clientId: string;
    browser?: string | undefined;
  }): Promise<Account>;
}

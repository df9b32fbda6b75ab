import type { Accounts } from '../accounts/accounts.ts';
import type { AppPasskeys } from '../accounts/app-passkeys.ts';
import type { ConfirmAddress } from '../accounts/confirm-address.ts';
import type { Invitations } from '../accounts/invitations.ts';
import type { WriteMail } from '../accounts/mails.ts';
import type { OneTimeTokens } from '../accounts/one-time-tokens.ts';
import type { PasskeySignIn } from '../accounts/passkey-sign-in.ts';
import type { PasskeyService } from '../accounts/passkeys.ts';
import type { PasswordRules } from '../accounts/password-rules.ts';
import type { Passwords } from '../accounts/passwords.ts';
import type { SecondFactorService } from '../accounts/second-factors.ts';
import type { SecondStep } from '../accounts/second-step.ts';
import type { SignIn } from '../accounts/sign-in.ts';
import type { ClientRegistry } from '../clients/client-registry.ts';
import type { AccessModel } from '../config/access-model.ts';
import type { Config } from '../config/schema.ts';
import type { NewEvent } from '../events/catalogue.ts';
import type { Pages } from '../interactions/pages.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { SecretList, ServerSecrets } from '../keys/server-secrets.ts';
import type { Clock } from '../lib/clock.ts';
import type { Phase } from '../lib/lifecycle.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Tracing } from '../lib/tracing.ts';
import type { SessionsAtClients } from '../oidc/sessions/client-sessions.ts';
import type { SignInUnitOfWork } from '../ports/unit-of-work.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import type { KnownClientTokenVersions } from '../revocation/known-client-token-versions.ts';
import type { RecentReads } from '../revocation/recent-reads.ts';
import type { RequestDenylist } from '../revocation/request-denylist.ts';
import type { Ports } from './ports.ts';

/** The dependencies from which a process is assembled. */
export interface ComposeDeps {
  config: Config;
  accessModel: AccessModel;
  pages: Pages;
  ports: Ports;
  /** Gives the server secrets as they are now. */
  readServerSecrets(): Promise<SecretList>;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Undefined when tracing is off. */
  tracing?: Tracing | undefined;
  phase(): Phase;
}

/** All modules below the protocol, as `compose` creates them. */
export interface Parts extends ComposeDeps {
  serverSecrets: ServerSecrets;
  unitOfWork: SignInUnitOfWork;
  newEvent: NewEvent;
  /** Undefined when mail is off. */
  writeMail: WriteMail | undefined;
  denylist: RequestDenylist;
  reads: RecentReads;
  clientTokenVersions: KnownClientTokenVersions;
  rateLimits: RateLimits;
  passwords: Passwords;
  passwordRules: PasswordRules;
  accounts: Accounts;
  signIn: SignIn;
  secondStep: SecondStep;
  factors: SecondFactorService;
  oneTimeTokens: OneTimeTokens;
  confirmAddress: ConfirmAddress;
  invitations: Invitations;
  /** Undefined when passkeys are off. */
  passkeys: PasskeyService | undefined;
  /** Undefined when passkeys are off. */
  passkeySignIn: PasskeySignIn | undefined;
  /** Passkeys in apps with forms of their own. Undefined when passkeys are off. */
  appPasskeys: AppPasskeys | undefined;
  /** Where apps may use passkeys: the issuer’s origin, and those of the settings. */
  appOrigins: readonly string[];
  clients: ClientRegistry;
  sessionsAtClients: SessionsAtClients;
  clientUsed(clientId: string): Promise<void>;
  keyRing: KeyRing;
}

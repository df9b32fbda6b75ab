import type { AccountIndex } from '../ports/account-index.ts';
import type { AccountStore } from '../ports/account-store.ts';
import type { AddressChanges } from '../ports/address-changes.ts';
import type { ClientSessions } from '../ports/client-sessions.ts';
import type { ClientSource } from '../ports/client-source.ts';
import type { ClientStore } from '../ports/client-store.ts';
import type { ClientTokenVersions } from '../ports/client-token-versions.ts';
import type { ConsentStore } from '../ports/consent-store.ts';
import type { Dependency } from '../ports/dependency.ts';
import type { EventSink } from '../ports/event-sink.ts';
import type { ExpiredRows } from '../ports/expired-rows.ts';
import type { FamilyStore } from '../ports/family-store.ts';
import type { KeyStore } from '../ports/key-store.ts';
import type { Leases } from '../ports/leases.ts';
import type { Limits } from '../ports/limits.ts';
import type { Logouts } from '../ports/logouts.ts';
import type { MailFeedback } from '../ports/mail-feedback.ts';
import type { MailSender } from '../ports/mail-sender.ts';
import type { MailSuppressions } from '../ports/mail-suppressions.ts';
import type { Mails } from '../ports/mails.ts';
import type { OidcStore } from '../ports/oidc-store.ts';
import type { OneTimeTokens } from '../ports/one-time-tokens.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Passkeys } from '../ports/passkeys.ts';
import type { PasswordBlocklist } from '../ports/password-blocklist.ts';
import type { RegisteredClients } from '../ports/registered-clients.ts';
import type { RemoteSigner } from '../ports/remote-signer.ts';
import type { RevocationCache } from '../ports/revocation-cache.ts';
import type { RevocationStore } from '../ports/revocation-store.ts';
import type { Schema } from '../ports/schema.ts';
import type { SecondFactors } from '../ports/second-factors.ts';
import type { SignInHistory } from '../ports/sign-in-history.ts';
import type { SignInUnitOfWork } from '../ports/unit-of-work.ts';
import type { WakeUp } from '../ports/wake-up.ts';
import type { ProcessSecrets } from './process-secrets.ts';

/** The name of a product in metrics and traces. */
export type Home = 'postgres' | 'redis' | 'file' | 'secretsmanager' | 'kms';

/** An implementation of every port. */
export interface Ports {
  /** Accounts change only in a unit of work, which also notifies the caches of accounts. */
  accounts: Omit<AccountStore, 'update'>;
  consents: Omit<ConsentStore, 'add' | 'withdraw' | 'withdrawAll'>;
  outbox: Outbox;
  clientSessions: Pick<ClientSessions, 'join' | 'update'>;
  logouts: Logouts;
  mails: Mails;
  mailSuppressions: MailSuppressions;
  /** They change only in a unit of work, together with their account. */
  secondFactors: Pick<SecondFactors, 'find'>;
  /** They are written and spent in a unit of work, together with their mail or with the change that they allow. */
  oneTimeTokens: Pick<OneTimeTokens, 'find' | 'tryCode'>;
  /** They change only in a unit of work, together with their account. */
  addressChanges: Pick<AddressChanges, 'waiting'>;
  signInHistory: SignInHistory;
  /** They change only in a unit of work. */
  passkeys: Pick<Passkeys, 'find' | 'list' | 'userHandle'>;
  unitOfWork: SignInUnitOfWork;
  denylist: RevocationStore;
  clientTokenVersions: Pick<ClientTokenVersions, 'all'>;
  /** Undefined without Redis. */
  revocationCache?: RevocationCache | undefined;
  oidcStore: OidcStore;
  families: FamilyStore;
  accountIndex: AccountIndex;
  limits: Limits;
  /** Limits that count in this process only. */
  localLimits: Limits;
  keyStore: KeyStore;
  /** Signs with keys that are in KMS. */
  remoteSigner: RemoteSigner;
  clients: ClientStore;
  registeredClients: RegisteredClients;
  /** In order of precedence. */
  clientSources: ClientSource[];
  eventSink: EventSink;
  /** Opened when it is first used. Undefined when mail is off. */
  mailSender: MailSender | undefined;
  /** Opened when it is first used. Undefined without a queue of reports. */
  mailFeedback: MailFeedback | undefined;
  /** In addition to the packaged dictionary. */
  passwordBlocklists: PasswordBlocklist[];
  schema: Schema;
  secrets: ProcessSecrets;
  expired: ExpiredRows[];
  leases: Leases;
  /** There are new events, logouts or mails. */
  wakeUp: WakeUp;
  /** Something was revoked: the store sends these signals in the transaction of the revocation. */
  revocationSignals: Pick<WakeUp, 'listen'>;
  /**
   * Calls the listener whenever a connection to Redis was lost. Changes to the data in Redis during this time are
   * unknown.
   */
  onRedisLost(listener: () => void): void;
  /** The product that implements each store. */
  homes: Record<StorePort, Home>;
  /** The dependencies in the order to open them. They are closed in reverse order. */
  dependencies: Dependency[];
}

type StorePort =
  | ('accounts' | 'consents' | 'outbox' | 'unitOfWork' | 'denylist' | 'clientTokenVersions' | 'expired')
  | ('oidcStore' | 'families' | 'accountIndex' | 'keyStore' | 'revocationCache' | 'limits')
  | ('clientSessions' | 'logouts' | 'mails' | 'secondFactors' | 'oneTimeTokens')
  | ('addressChanges' | 'signInHistory' | 'mailSuppressions' | 'passkeys')
  | ('remoteSigner' | 'clients' | 'registeredClients');

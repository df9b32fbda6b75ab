import type { Account } from '../../../provider/ports/account-store.ts';
import type { AddressChange } from '../../../provider/ports/address-changes.ts';
import type { ClientSession, LogoutReceiver } from '../../../provider/ports/client-sessions.ts';
import type { StoredClient } from '../../../provider/ports/client-store.ts';
import type { Consent } from '../../../provider/ports/consent-store.ts';
import type { FactorRemoval } from '../../../provider/ports/factor-removals.ts';
import type { Logout } from '../../../provider/ports/logouts.ts';
import type { Mail } from '../../../provider/ports/mails.ts';
import type { OneTimeToken } from '../../../provider/ports/one-time-tokens.ts';
import type { OutboxEvent } from '../../../provider/ports/outbox.ts';
import type { Passkey } from '../../../provider/ports/passkeys.ts';
import type { RegisteredClient } from '../../../provider/ports/registered-clients.ts';
import type { RevocationKey } from '../../../provider/ports/revocation-keys.ts';
import type { TotpFactor } from '../../../provider/ports/second-factors.ts';
import type { RecentSignIn } from '../../../provider/ports/sign-in-history.ts';

export interface OutboxRow {
  event: OutboxEvent;
  attempts: number;
  /** Why the last attempt failed. */
  reason?: string;
  /** Undefined until the first claim. */
  sequence?: number;
  /** Milliseconds since the epoch. The event isn't claimed before this time. */
  dueAt: number;
  state: 'pending' | 'published' | 'set aside';
}

export interface LogoutRow {
  logout: Logout;
  attempts: number;
  firstTriedAt?: number | undefined;
  dueAt: number;
  reason?: string;
  isSetAside: boolean;
}

export interface MailRow {
  mail: Mail;
  attempts: number;
  dueAt: number;
  reason?: string;
  isSetAside: boolean;
}

export interface FactorRow {
  factor: TotpFactor;
  /** Of the recovery codes. */
  hashes: readonly string[];
}

export interface OneTimeTokenRow {
  token: OneTimeToken;
  wrongCodes: number;
}

/** The tables that a transaction writes. Rows are replaced, never changed, so a copy of the maps is a snapshot. */
export interface Tables {
  accounts: Map<string, Account>;
  /** By id, in the order of the requests. */
  addressChanges: Map<string, { change: AddressChange; isDone: boolean }>;
  /** By account and client. */
  consents: Map<string, Consent>;
  /** By id, in the order of appending. */
  outbox: Map<string, OutboxRow>;
  /** By the id of the event, in the order of appending. */
  recentSignIns: Map<string, RecentSignIn>;
  /** By topic. */
  announcements: Map<string, string>;
  /** In milliseconds since the epoch. */
  revocations: Map<RevocationKey, { expiresAt: number; revokedAt: number }>;
  /** By client id. */
  clientTokenVersions: Map<string, number>;
  /** By id. */
  clients: Map<string, StoredClient>;
  /** By id. */
  registeredClients: Map<string, RegisteredClient>;
  /** Their ends, by digest. */
  registrationTokens: Map<string, number>;
  /** By client id. */
  logoutReceivers: Map<string, LogoutReceiver>;
  /** By `sid`. */
  clientSessions: Map<string, ClientSession>;
  /** By id. */
  logouts: Map<string, LogoutRow>;
  /** By id. */
  mails: Map<string, MailRow>;
  /** By account. */
  secondFactors: Map<string, FactorRow>;
  /** By purpose and subject. */
  oneTimeTokens: Map<string, OneTimeTokenRow>;
  /** By credential id. */
  passkeys: Map<string, Passkey>;
  /** By account. */
  userHandles: Map<string, string>;
  /** By account. */
  factorRemovals: Map<string, FactorRemoval>;
}

export interface Access {
  /** Runs `work` on the tables with exclusive access. */
  use<T>(work: (tables: Tables) => T): Promise<T>;
}

const emptyTables = (): Tables => ({
  accounts: new Map(),
  addressChanges: new Map(),
  consents: new Map(),
  outbox: new Map(),
  recentSignIns: new Map(),
  announcements: new Map(),
  revocations: new Map(),
  clientTokenVersions: new Map(),
  clients: new Map(),
  registeredClients: new Map(),
  registrationTokens: new Map(),
  logoutReceivers: new Map(),
  clientSessions: new Map(),
  logouts: new Map(),
  mails: new Map(),
  secondFactors: new Map(),
  oneTimeTokens: new Map(),
  passkeys: new Map(),
  userHandles: new Map(),
  factorRemovals: new Map(),
});

/**
 * Stores accounts, consents, outbox, announcements, revocations and clients' token versions in memory. It runs one
 * transaction or single call at a time.
 */
export class MemoryDatabase implements Access {
  #tables: Tables = emptyTables();
  #turn: Promise<unknown> = Promise.resolve();

  use<T>(work: (tables: Tables) => T): Promise<T> {
    return this.#inTurn(async () => work(this.#tables));
  }

  /** Runs `work` on a copy. The copy replaces the tables if `work` resolves, and is dropped if `work` throws. */
  transaction<T>(work: (access: Access) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const copies = Object.entries(this.#tables).map(([name, table]) => [name, new Map(table)]);
      const copy: Tables = Object.fromEntries(copies);
      const result = await work({ use: async (step) => step(copy) });
      this.#tables = copy;
      return result;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

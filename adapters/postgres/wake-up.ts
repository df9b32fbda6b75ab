import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import type { Client } from 'pg';
import type { Listener } from '../../provider/lib/follower.ts';
import type { Logger } from '../../provider/lib/logger.ts';
import type { WakeUp } from '../../provider/ports/wake-up.ts';
import { openConnection } from './database.ts';
import { affected } from './sql.ts';
import { translateError } from './store-errors.ts';

/** There are new events, logouts or mails. */
export const eventsChannel = 'gatehouse_events';

export interface PostgresSignalsOptions {
  db: Knex;
  logger: Pick<Logger, 'info' | 'warn'>;
  /** How long a connection may take to bring its own signal back. A pooler may accept LISTEN and pass no signal on. */
  proofMs?: number;
  /** How often the connection proves that it still brings signals. */
  proveEveryMs?: number;
  /** The pause before the next connection. It doubles after each failure. */
  againMs?: { first: number; longest: number };
}

/** A connection that listens. */
interface Listening {
  connection: Client;
  /** The channels whose LISTEN was confirmed. */
  channels: Set<string>;
  /** Whether its own signal came back. */
  proved: boolean;
  /** The last statement. The next one follows it. */
  last: Promise<unknown>;
}

/**
 * Signals by NOTIFY and LISTEN. All listeners of a process share one connection outside the pool, because the pool closes
 * idle connections. The connection signals itself from time to time: so it notices that it does not bring signals, for
 * example because the network dropped it without a word.
 */
export class PostgresSignals {
  readonly #db: Knex;
  readonly #logger: Pick<Logger, 'info' | 'warn'>;
  readonly #proofMs: number;
  readonly #proveEveryMs: number;
  readonly #againMs: { first: number; longest: number };
  readonly #proof = `gatehouse_proof_${randomBytes(8).toString('hex')}`;
  readonly #listeners = new Map<string, Set<() => void>>();
  #listening: Listening | undefined;
  #opening = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ db, logger, proofMs, proveEveryMs, againMs }: PostgresSignalsOptions) {
    this.#db = db;
    this.#logger = logger;
    this.#proofMs = proofMs ?? 3000;
    this.#proveEveryMs = proveEveryMs ?? 120_000;
    this.#againMs = againMs ?? { first: 1000, longest: 30_000 };
  }

  /** @param channel a name in lower case, which goes into the statement as it is */
  channel(channel: string): WakeUp {
    return {
      // In a statement of its own. In the transaction of a sign-in, NOTIFY would make commits wait for each other.
      notify: async () => {
        await affected(this.#db, `notify ${channel}`);
      },
      listen: (woken) => this.#listen(channel, woken),
    };
  }

  #listen(channel: string, woken: () => void): Listener {
    const called = () => woken();
    const others = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, others.add(called));
    if (this.#listening) void this.#subscribe(this.#listening, channel);
    else if (!this.#opening && this.#timer === undefined) void this.#open();
    return {
      arrives: () => this.#listening?.proved === true && this.#listening.channels.has(channel),
      stop: async () => {
        others.delete(called);
        if (others.size === 0 && this.#listeners.get(channel) === others) this.#listeners.delete(channel);
        if (this.#listeners.size === 0) await this.#close();
      },
    };
  }

  async #open(): Promise<void> {
    this.#opening = true;
    const connection = await openConnection(this.#db).catch((error: unknown) => {
      this.#logFailure(translateError(error));
    });
    this.#opening = false;
    if (this.#listeners.size === 0) return void connection?.end().catch(() => {});
    if (connection === undefined) return this.#openAgain();
    const listening: Listening = {
      connection,
      channels: new Set(),
      proved: false,
      last: Promise.resolve(),
    };
    this.#listening = listening;
    connection.on('error', (error) => this.#lost(listening, error));
    connection.on('end', () => this.#lost(listening, new Error('the connection ended')));
    connection.on('notification', ({ channel }) => {
      if (channel === this.#proof) this.#proved(listening);
      else this.#wake(channel);
    });
    for (const channel of [...this.#listeners.keys(), this.#proof]) void this.#subscribe(listening, channel);
    this.#prove(listening);
  }

  /** Statements run one after the other. */
  #send(listening: Listening, statement: string): Promise<unknown> {
    listening.last = listening.last.then(() => listening.connection.query(statement));
    return listening.last;
  }

  async #subscribe(listening: Listening, channel: string): Promise<void> {
    try {
      await this.#send(listening, `listen ${channel}`);
      listening.channels.add(channel);
      // Signals may have been lost before.
      this.#wake(channel);
    } catch (error) {
      this.#lost(listening, error);
    }
  }

  #prove(listening: Listening): void {
    this.#send(listening, `notify ${this.#proof}`).catch((error: unknown) => this.#lost(listening, error));
    this.#timer = setTimeout(
      () => this.#lost(listening, new Error('the connection does not bring signals')),
      this.#proofMs,
    ).unref();
  }

  #proved(listening: Listening): void {
    if (this.#listening !== listening) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#prove(listening), this.#proveEveryMs).unref();
    if (listening.proved) return;
    listening.proved = true;
    if (this.#failures > 0) this.#logger.info({}, 'signals from other processes arrive again');
    this.#failures = 0;
  }

  #lost(listening: Listening, error: unknown): void {
    if (this.#listening !== listening) return;
    this.#listening = undefined;
    this.#logFailure(error);
    listening.connection.end().catch(() => {});
    this.#openAgain();
    for (const channel of this.#listeners.keys()) this.#wake(channel);
  }

  #openAgain(): void {
    const { first, longest } = this.#againMs;
    const ms = Math.min(longest, first * 2 ** (this.#failures - 1));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#open();
    }, ms).unref();
  }

  #logFailure(error: unknown): void {
    this.#failures += 1;
    if (this.#failures === 1)
      this.#logger.warn({ err: error }, 'signals from other processes do not arrive, looking more often');
  }

  #wake(channel: string): void {
    for (const woken of this.#listeners.get(channel) ?? []) woken();
  }

  async #close(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await listening?.connection.end().catch(() => {});
  }
}

/** For an embedded database, which has no signals. */
export const noWakeUp: WakeUp = {
  notify: async () => {},
  listen: () => ({ arrives: () => false, stop: async () => {} }),
};

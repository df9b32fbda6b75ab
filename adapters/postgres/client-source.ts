import type { Clock } from '../../provider/lib/clock.ts';
import type { ClientSource, RawClientDocument } from '../../provider/ports/client-source.ts';
import { type ClientStore, describeOwner, type StoredClient } from '../../provider/ports/client-store.ts';
import type { WakeUp } from '../../provider/ports/wake-up.ts';
import { versionOf } from './client-store.ts';

export interface PostgresClientSourceOptions {
  store: Pick<ClientStore, 'all' | 'version'>;
  /** Undefined for an embedded database: only this process writes it. */
  signal?: WakeUp | undefined;
  clock: Clock;
  /** How often a watcher compares versions, in milliseconds: while signals arrive, and while they do not. */
  pollMs?: { withSignal: number; without: number };
}

/** How long a new listener waits for its own signal. A pooler may accept LISTEN and pass no signal on. */
const proofMs = 3000;

/**
 * The shortest pause between two comparisons. Each change makes the process read and check all clients, so many changes
 * in a short time, as an operator makes them, must not keep it busy.
 */
const restMs = 500;

/** How long a watcher waits before it tries again to listen. */
const listenAgainMs = 30_000;

/** The secrets that a document names, followed by those stored beside it. */
function withSecrets({ id, document, secrets }: StoredClient, now: number): Record<string, unknown> {
  const live = secrets.filter(({ notAfter }) => notAfter === undefined || Date.parse(notAfter) > now);
  if (live.length === 0) return { ...document, id };
  const named = Array.isArray(document.secrets) ? document.secrets : [];
  return { ...document, id, secrets: [...named, ...live] };
}

/** The clients that are stored in Postgres. */
export class PostgresClientSource implements ClientSource {
  readonly name = 'store';
  readonly eachByItself = true;
  readonly #store: Pick<ClientStore, 'all' | 'version'>;
  readonly #signal: WakeUp | undefined;
  readonly #clock: Clock;
  readonly #pollMs: { withSignal: number; without: number };
  #loaded: string | undefined;

  constructor({ store, signal, clock, pollMs }: PostgresClientSourceOptions) {
    this.#store = store;
    this.#signal = signal;
    this.#clock = clock;
    this.#pollMs = pollMs ?? { withSignal: 10_000, without: 1000 };
  }

  /** @throws StoreUnavailable */
  async load(): Promise<RawClientDocument[]> {
    const clients = await this.#store.all();
    this.#loaded = versionOf(clients);
    const now = this.#clock.now();
    return clients.map((client) => ({
      origin: describeOwner(client.owner),
      value: withSecrets(client, now),
    }));
  }

  /**
   * A signal causes a comparison of versions at once. Signals can be lost, so the versions are also compared from time
   * to time. `changed` is called again until the new version was loaded.
   */
  watch(changed: () => void): () => void {
    const watcher = new Watcher({
      compare: async () => {
        if ((await this.#store.version()) !== this.#loaded) changed();
      },
      signal: this.#signal,
      pollMs: this.#pollMs,
    });
    return () => watcher.stop();
  }
}

interface WatcherOptions {
  /** Looks for a change. */
  compare(): Promise<void>;
  signal: WakeUp | undefined;
  pollMs: { withSignal: number; without: number };
}

/** Compares after each signal and after each pause. Comparisons do not overlap. */
class Watcher {
  readonly #options: WatcherOptions;
  #timer: NodeJS.Timeout | undefined;
  #listenTimer: NodeJS.Timeout | undefined;
  #comparing = false;
  #again = false;
  /** When the next comparison may begin, by `performance.now`. */
  #restedAt = 0;
  #stopped = false;
  /** Whether a signal arrived since the listener was opened. */
  #proved = false;
  #end: (() => Promise<void>) | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#schedule();
    void this.#listen();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#listenTimer);
    void this.#end?.();
  }

  /** Compares now, or soon if a comparison runs or has just ended. */
  #wake(): void {
    this.#again = true;
    if (this.#comparing || this.#stopped) return;
    clearTimeout(this.#timer);
    const rest = Math.max(0, this.#restedAt - performance.now());
    this.#timer = setTimeout(() => void this.#compare(), rest).unref();
  }

  /** While the store can't be reached, the next pause follows. Its failures are counted where the store is called. */
  async #compare(): Promise<void> {
    this.#comparing = true;
    this.#again = false;
    await this.#options.compare().catch(() => {});
    this.#comparing = false;
    this.#restedAt = performance.now() + restMs;
    if (this.#again) this.#wake();
    else this.#schedule();
  }

  #schedule(): void {
    if (this.#stopped) return;
    const { withSignal, without } = this.#options.pollMs;
    // Jitter, so that processes that started together do not compare at the same time.
    const ms = (this.#proved ? withSignal : without) * (0.75 + Math.random() / 4);
    this.#timer = setTimeout(() => void this.#compare(), ms).unref();
  }

  async #listen(): Promise<void> {
    const { signal } = this.#options;
    if (signal === undefined || this.#stopped) return;
    try {
      const end = await signal.listen(
        () => {
          this.#proved = true;
          this.#wake();
        },
        () => this.#lost(),
      );
      if (this.#stopped) return void end();
      this.#end = end;
      await signal.notify();
      this.#listenTimer = setTimeout(() => {
        if (!this.#proved) this.#lost();
      }, proofMs).unref();
    } catch {
      this.#lost();
    }
  }

  /** Compares more often from now on, also because a signal may have been lost. */
  #lost(): void {
    const end = this.#end;
    this.#end = undefined;
    this.#proved = false;
    void end?.();
    if (this.#stopped) return;
    clearTimeout(this.#listenTimer);
    this.#listenTimer = setTimeout(() => void this.#listen(), listenAgainMs).unref();
    this.#wake();
  }
}

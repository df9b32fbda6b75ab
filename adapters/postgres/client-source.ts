import type { Clock } from '../../provider/lib/clock.ts';
import { createFollower } from '../../provider/lib/follower.ts';
import type { ClientSource, RawClientDocument } from '../../provider/ports/client-source.ts';
import { type ClientStore, describeOwner, type StoredClient } from '../../provider/ports/client-store.ts';
import type { WakeUp } from '../../provider/ports/wake-up.ts';
import { versionOf } from './client-store.ts';

export interface PostgresClientSourceOptions {
  store: Pick<ClientStore, 'all' | 'version'>;
  signal: Pick<WakeUp, 'listen'>;
  clock: Clock;
  /** How often a watcher compares versions, in milliseconds: while signals arrive, and while they do not. */
  pollMs?: { withSignal: number; without: number };
}

/**
 * The shortest pause between two comparisons. Each change makes the process read and check all clients, so many changes
 * in a short time, as an operator makes them, must not keep it busy.
 */
const restMs = 500;

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
  readonly #signal: Pick<WakeUp, 'listen'>;
  readonly #clock: Clock;
  readonly #pollMs: { withSignal: number; without: number };
  #loaded: string | undefined;

  constructor({ store, signal, clock, pollMs }: PostgresClientSourceOptions) {
    this.#store = store;
    this.#signal = signal;
    this.#clock = clock;
    this.#pollMs = pollMs ?? { withSignal: 120_000, without: 1000 };
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
    const { withSignal, without } = this.#pollMs;
    const follower = createFollower({
      look: async () => {
        if ((await this.#store.version()) !== this.#loaded) changed();
      },
      listen: this.#signal.listen,
      pauseMs: (signalsArrive) => (signalsArrive ? withSignal : without),
      restMs,
    });
    follower.start();
    return () => void follower.stop();
  }
}

import type { Clock } from '../../../provider/lib/clock.ts';
import { randomToken } from '../../../provider/lib/ids.ts';
import type { RevocationCache } from '../../../provider/ports/revocation-cache.ts';
import type { RevocationKey } from '../../../provider/ports/revocation-keys.ts';
import type { RevocationEntry } from '../../../provider/ports/revocation-store.ts';

/** A denylist's copy in memory, for tests. */
export class MemoryRevocationCache implements RevocationCache {
  readonly #clock: Clock;
  readonly #expiries = new Map<RevocationKey, number>();
  readonly #begun = new Set<string>();
  #isWhole = false;

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  async anyRevoked(keys: RevocationKey[]): Promise<boolean | undefined> {
    if (!this.#isWhole) return undefined;
    return keys.some((key) => (this.#expiries.get(key) ?? 0) > this.#clock.now());
  }

  async put(entries: readonly RevocationEntry[]): Promise<void> {
    for (const { key, expiresAt } of entries)
      this.#expiries.set(key, Math.max(expiresAt, this.#expiries.get(key) ?? 0));
  }

  async begin(): Promise<string> {
    const begun = randomToken(16);
    this.#begun.add(begun);
    return begun;
  }

  async declareComplete(begun: string): Promise<boolean> {
    if (!this.#begun.delete(begun)) return false;
    this.#isWhole = true;
    return true;
  }

  /** Acts like a failover that loses the last entries. */
  forget(keys: readonly RevocationKey[]): void {
    for (const key of keys) this.#expiries.delete(key);
  }

  /** Acts like a server that restarts without its data. */
  loseData(): void {
    this.#expiries.clear();
    this.#begun.clear();
    this.#isWhole = false;
  }
}

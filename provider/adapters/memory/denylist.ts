import type { Clock } from '../../lib/clock.ts';
import type { Denylist, RevocationKey } from '../../ports/denylist.ts';

/** Revocations in memory. They end with the process, so this is for tests. */
export class MemoryDenylist implements Denylist {
  readonly #clock: Clock;
  readonly #expiries = new Map<RevocationKey, number>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  async revoke(keys: RevocationKey[], expiresAt: number): Promise<void> {
    for (const key of keys) this.#expiries.set(key, Math.max(expiresAt, this.#expiries.get(key) ?? 0));
  }

  async anyRevoked(keys: RevocationKey[]): Promise<boolean> {
    return keys.some((key) => (this.#expiries.get(key) ?? 0) > this.#clock.now());
  }
}

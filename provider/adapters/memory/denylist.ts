import type { Clock } from '../../lib/clock.ts';
import type { LastingDenylist, RevocationEntry, RevocationKey } from '../../ports/denylist.ts';

type Page = Parameters<LastingDenylist['inForce']>[0];

/** Revocations in memory. They end with the process, so this is for tests. */
export class MemoryDenylist implements LastingDenylist {
  readonly #clock: Clock;
  readonly #entries = new Map<RevocationKey, { expiresAt: number; revokedAt: number }>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  async revoke(keys: RevocationKey[], expiresAt: number): Promise<void> {
    const revokedAt = this.#clock.now();
    for (const key of keys)
      this.#entries.set(key, { expiresAt: Math.max(expiresAt, this.#expiryOf(key)), revokedAt });
  }

  async anyRevoked(keys: RevocationKey[]): Promise<boolean> {
    return keys.some((key) => this.#expiryOf(key) > this.#clock.now());
  }

  async inForce({ after, limit, recentSeconds = Infinity }: Page): Promise<RevocationEntry[]> {
    const now = this.#clock.now();
    return [...this.#entries]
      .map(([key, { expiresAt, revokedAt }]) => ({ key, expiresAt, revokedAt }))
      .filter((entry) => entry.expiresAt > now && (after === undefined || entry.key > after))
      .filter(({ revokedAt }) => now - revokedAt < recentSeconds * 1000)
      .sort((one, other) => (one.key < other.key ? -1 : 1))
      .slice(0, limit)
      .map(({ key, expiresAt }) => ({ key, expiresAt }));
  }

  #expiryOf(key: RevocationKey): number {
    return this.#entries.get(key)?.expiresAt ?? 0;
  }
}

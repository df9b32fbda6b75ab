import type { Clock } from '../../../provider/lib/clock.ts';
import type { RevocationKey } from '../../../provider/ports/revocation-keys.ts';
import type { RevocationEntry, RevocationStore } from '../../../provider/ports/revocation-store.ts';
import { type Access, MemoryDatabase } from './database.ts';

type Page = Parameters<RevocationStore['inForce']>[0];

/** Stores revocations in memory, alone or in a MemoryDatabase shared with a transaction's other stores. For tests. */
export class MemoryRevocationStore implements RevocationStore {
  readonly #clock: Clock;
  readonly #database: Access;

  constructor({ clock, database = new MemoryDatabase() }: { clock: Clock; database?: Access }) {
    this.#clock = clock;
    this.#database = database;
  }

  revoke(keys: RevocationKey[], expiresAt: number): Promise<void> {
    const revokedAt = this.#clock.now();
    return this.#database.use(({ revocations }) => {
      for (const key of keys) {
        const before = revocations.get(key)?.expiresAt ?? 0;
        revocations.set(key, { expiresAt: Math.max(expiresAt, before), revokedAt });
      }
    });
  }

  anyRevoked(keys: RevocationKey[]): Promise<boolean> {
    const now = this.#clock.now();
    return this.#database.use(({ revocations }) =>
      keys.some((key) => (revocations.get(key)?.expiresAt ?? 0) > now),
    );
  }

  inForce({ after, limit, recentSeconds = Infinity }: Page): Promise<RevocationEntry[]> {
    const now = this.#clock.now();
    return this.#database.use(({ revocations }) =>
      [...revocations]
        .map(([key, { expiresAt, revokedAt }]) => ({ key, expiresAt, revokedAt }))
        .filter((entry) => entry.expiresAt > now && (after === undefined || entry.key > after))
        .filter(({ revokedAt }) => now - revokedAt < recentSeconds * 1000)
        .sort((one, other) => (one.key < other.key ? -1 : 1))
        .slice(0, limit)
        .map(({ key, expiresAt }) => ({ key, expiresAt })),
    );
  }
}

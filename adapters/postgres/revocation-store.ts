import type { Clock } from '../../provider/lib/clock.ts';
import type { RevocationKey } from '../../provider/ports/revocation-keys.ts';
import type { RevocationEntry, RevocationStore } from '../../provider/ports/revocation-store.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

type Page = Parameters<RevocationStore['inForce']>[0];

/** Something was revoked. */
export const revocationsChannel = 'gatehouse_revocations';

/**
 * Revokes keys, by itself or as a part of a transaction. The signal is a part of it too, so a process that is killed after
 * the commit has sent it. Commits with a signal wait for each other; revocations are rare enough for that.
 *
 * @param expiresAt milliseconds since the epoch
 */
export async function revokeKeys(db: Sql, keys: RevocationKey[], expiresAt: number): Promise<void> {
  // Without duplicates, because one statement can't update a row twice. Sorted, because two statements that lock rows
  // in different orders can deadlock.
  const distinct = [...new Set(keys)].sort();
  if (distinct.length === 0) return;
  await affected(
    db,
    `with signal as (select pg_notify(:channel, ''))
     insert into revocations (key, expires_at, revoked_at)
     select key, :expiresAt, clock_timestamp() from unnest(:keys::text[]) as key, signal
     on conflict (key) do update set
       expires_at = greatest(revocations.expires_at, excluded.expires_at), revoked_at = clock_timestamp()`,
    { keys: distinct, expiresAt, channel: revocationsChannel },
  );
}

export class PostgresRevocationStore implements RevocationStore {
  readonly #db: Sql;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Sql; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  revoke(keys: RevocationKey[], expiresAt: number): Promise<void> {
    return revokeKeys(this.#db, keys, expiresAt);
  }

  async anyRevoked(keys: RevocationKey[]): Promise<boolean> {
    const asked = keys.filter((key) => storable(key));
    if (asked.length === 0) return false;
    const found = await rows(
      this.#db,
      'select from revocations where key = any(:asked::text[]) and expires_at > :now limit 1',
      { asked, now: this.#clock.now() },
    );
    return found.length > 0;
  }

  async inForce({ after, limit, recentSeconds }: Page): Promise<RevocationEntry[]> {
    const found = await rows<{ key: RevocationKey; expires_at: string }>(
      this.#db,
      `select key, expires_at from revocations
       where expires_at > :now and key > :after
         and (:seconds::float8 is null or revoked_at > clock_timestamp() - make_interval(secs => :seconds))
       order by key limit :limit`,
      { now: this.#clock.now(), after: after ?? '', seconds: recentSeconds ?? null, limit },
    );
    return found.map(({ key, expires_at: expiresAt }) => ({ key, expiresAt: Number(expiresAt) }));
  }
}

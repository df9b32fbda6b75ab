import type { Knex } from 'knex';
import type { ExpiredRows } from '../../provider/ports/expired-rows.ts';
import { affected } from './sql.ts';

export interface PostgresExpiredRowsOptions {
  db: Knex;
  /** Published events are kept for this many milliseconds, so that operators can look them up. */
  outboxRetentionMs: number;
  /**
   * Logouts and mails that could not be delivered are kept for this many milliseconds after the session ended, or after the
   * mail expired.
   */
  failedRetentionMs: number;
}

/**
 * Sweeps every table whose rows expire. Each table takes one statement, which is one short transaction. Locked rows are
 * skipped, so parallel sweeps share the work and do not wait for each other.
 */
export class PostgresExpiredRows implements ExpiredRows {
  readonly #db: Knex;
  readonly #outboxRetentionMs: number;
  readonly #failedRetentionMs: number;

  constructor({ db, outboxRetentionMs, failedRetentionMs }: PostgresExpiredRowsOptions) {
    this.#db = db;
    this.#outboxRetentionMs = outboxRetentionMs;
    this.#failedRetentionMs = failedRetentionMs;
  }

  async sweep(limit: number, now: number): Promise<number> {
    const tables = [
      { table: 'oidc_artifacts', column: 'live_until', before: now },
      { table: 'oidc_ended_indexes', column: 'until', before: now },
      { table: 'families', column: 'expires_at', before: now },
      { table: 'revocations', column: 'expires_at', before: now },
      { table: 'account_index', column: 'expires_at', before: now },
      { table: 'registered_clients', column: 'expires_at', before: now },
      { table: 'registration_tokens', column: 'expires_at', before: now },
      { table: 'factor_removals', column: 'expires_at', before: now },
      { table: 'limits', column: 'expires_at', before: now },
      { table: 'client_sessions', column: 'expires_at', before: now },
      { table: 'logouts', column: 'ended_at', before: now - this.#failedRetentionMs },
      { table: 'mails', column: 'expires_at', before: now - this.#failedRetentionMs },
      { table: 'one_time_tokens', column: 'expires_at', before: now },
      { table: 'address_changes', column: 'expires_at', before: now },
      { table: 'recent_sign_ins', column: 'expires_at', before: now },
      { table: 'mail_suppressions', column: 'expires_at', before: now },
      { table: 'outbox', column: 'published_at', before: now - this.#outboxRetentionMs },
    ];
    let deleted = 0;
    for (const { table, column, before } of tables) {
      if (deleted >= limit) break;
      deleted += await affected(
        this.#db,
        `with over as materialized (
           select ctid from ${table} where ${column} <= :before
           order by ${column} limit :limit for update skip locked
         )
         delete from ${table} using over where ${table}.ctid = over.ctid`,
        { before, limit: limit - deleted },
      );
    }
    return deleted < limit ? deleted + (await this.#forgetAnswers(limit - deleted, now)) : deleted;
  }

  /** Clears expired stored responses. A family is valid for longer than its stored response. */
  #forgetAnswers(limit: number, now: number): Promise<number> {
    return affected(
      this.#db,
      `with over as materialized (
         select ctid from families where answer_until <= :now
         order by answer_until limit :limit for update skip locked
       )
       update families set answer = null, answer_until = null from over where families.ctid = over.ctid`,
      { now, limit },
    );
  }
}

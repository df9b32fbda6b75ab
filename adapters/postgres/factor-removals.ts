import type { FactorRemoval, FactorRemovals } from '../../provider/ports/factor-removals.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface RemovalRow {
  factor_id: string;
  uses: number;
  generation: number;
  due_at: string;
  expires_at: string;
}

export class PostgresFactorRemovals implements FactorRemovals {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async request(accountId: string, removal: FactorRemoval, now: number): Promise<boolean> {
    const { factorId, uses, tokenVersion, dueAt, expiresAt } = removal;
    const written = await affected(
      this.#db,
      `insert into factor_removals as known (account_id, factor_id, uses, generation, due_at, expires_at)
       values (:accountId, :factorId, :uses, :tokenVersion, :dueAt, :expiresAt)
       on conflict (account_id) do update
         set factor_id = excluded.factor_id, uses = excluded.uses, generation = excluded.generation,
           due_at = excluded.due_at, expires_at = excluded.expires_at
         where known.factor_id <> excluded.factor_id or known.uses <> excluded.uses
           or known.generation <> excluded.generation or known.expires_at <= :now`,
      { accountId, factorId, uses, tokenVersion, dueAt, expiresAt, now },
    );
    return written === 1;
  }

  async find(accountId: string): Promise<FactorRemoval | undefined> {
    if (!storable(accountId)) return undefined;
    const [row] = await rows<RemovalRow>(
      this.#db,
      'select factor_id, uses, generation, due_at, expires_at from factor_removals where account_id = :accountId',
      { accountId },
    );
    return (
      row && {
        factorId: row.factor_id,
        uses: row.uses,
        tokenVersion: row.generation,
        dueAt: Number(row.due_at),
        expiresAt: Number(row.expires_at),
      }
    );
  }
}

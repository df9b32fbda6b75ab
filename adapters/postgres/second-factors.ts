import type {
  SecondFactors,
  SeenFactor,
  StoredFactor,
  TotpFactor,
} from '../../provider/ports/second-factors.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface FactorRow {
  id: string;
  sealed_secret: string;
  last_step: string;
  uses: number;
  added_at: string;
  recovery_codes: number;
  has_app: boolean;
}

const columns =
  'id, sealed_secret, last_step, uses, added_at, has_app, cardinality(recovery_codes) as recovery_codes';

const factorOf = (row: FactorRow): StoredFactor => ({
  id: row.id,
  sealedSecret: row.sealed_secret,
  lastStep: Number(row.last_step),
  uses: row.uses,
  addedAt: Number(row.added_at),
  hasApp: row.has_app,
  recoveryCodes: row.recovery_codes,
});

export class PostgresSecondFactors implements SecondFactors {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async find(accountId: string): Promise<StoredFactor | undefined> {
    if (!storable(accountId)) return undefined;
    const [row] = await rows<FactorRow>(
      this.#db,
      `select ${columns} from second_factors where account_id = :accountId`,
      { accountId },
    );
    return row && factorOf(row);
  }

  async add(accountId: string, factor: TotpFactor): Promise<boolean> {
    const added = await affected(
      this.#db,
      `insert into second_factors (account_id, id, sealed_secret, last_step, uses, added_at, has_app)
       values (:accountId, :id, :sealedSecret, :lastStep, :uses, :addedAt, :hasApp)
       on conflict (account_id) do update
         set id = excluded.id, sealed_secret = excluded.sealed_secret, last_step = excluded.last_step,
           uses = second_factors.uses + 1, added_at = excluded.added_at, has_app = true, recovery_codes = '{}'
         where excluded.has_app and not second_factors.has_app`,
      { ...factor, accountId },
    );
    return added === 1;
  }

  async useStep(accountId: string, seen: SeenFactor, step: number, sealedSecret: string): Promise<boolean> {
    const used = await affected(
      this.#db,
      `update second_factors set last_step = :step, uses = uses + 1, sealed_secret = :sealedSecret
       where account_id = :accountId and id = :id and uses = :uses and last_step < :step and has_app`,
      { accountId, step, sealedSecret, id: seen.id, uses: seen.uses },
    );
    return used === 1;
  }

  async useRecoveryCode(accountId: string, seen: SeenFactor, hash: string): Promise<boolean> {
    const used = await affected(
      this.#db,
      `update second_factors set recovery_codes = array_remove(recovery_codes, :hash::text), uses = uses + 1
       where account_id = :accountId and id = :id and uses = :uses and :hash::text = any(recovery_codes)`,
      { accountId, hash, id: seen.id, uses: seen.uses },
    );
    return used === 1;
  }

  async replaceRecoveryCodes(
    accountId: string,
    factorId: string,
    hashes: readonly string[],
  ): Promise<boolean> {
    const replaced = await affected(
      this.#db,
      `update second_factors set recovery_codes = :hashes::text[]
       where account_id = :accountId and id = :factorId`,
      { accountId, factorId, hashes: [...hashes] },
    );
    return replaced === 1;
  }

  async touch(accountId: string, sealedSecret?: string): Promise<StoredFactor | undefined> {
    if (!storable(accountId)) return undefined;
    const [row] = await rows<FactorRow>(
      this.#db,
      `update second_factors set uses = uses + 1, sealed_secret = coalesce(:sealedSecret, sealed_secret)
       where account_id = :accountId returning ${columns}`,
      { accountId, sealedSecret: sealedSecret ?? null },
    );
    return row && factorOf(row);
  }

  async removeApp(accountId: string): Promise<boolean> {
    const removed = await affected(
      this.#db,
      `update second_factors set has_app = false, uses = uses + 1 where account_id = :accountId and has_app`,
      { accountId },
    );
    return removed === 1;
  }

  async remove(accountId: string): Promise<boolean> {
    const removed = await affected(this.#db, 'delete from second_factors where account_id = :accountId', {
      accountId,
    });
    return removed === 1;
  }
}

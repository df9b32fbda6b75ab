import type { Clock } from '../../provider/lib/clock.ts';
import type { Family, FamilyStore, Rotation, StoredFamily } from '../../provider/ports/family-store.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface FamilyRow {
  id: string;
  account_id: string;
  client_id: string;
  sid: string | null;
  current_hash: string;
  payload: string;
  expires_at: string;
  /** The stored response; null after `answer_until`. */
  answer: string | null;
}

function toFamily(row: FamilyRow): StoredFamily {
  const family = {
    id: row.id,
    accountId: row.account_id,
    clientId: row.client_id,
    currentHash: row.current_hash,
    payload: row.payload,
    expiresAt: Number(row.expires_at),
    ...(row.sid === null ? {} : { sid: row.sid }),
  };
  return row.answer === null ? family : { ...family, storedResponse: row.answer };
}

/**
 * A family and its ended state are one row, so `open`, `rotate` and `end` lock the same row. The row of an ended family
 * has an empty payload and is kept until the time that `end` got.
 */
export class PostgresFamilyStore implements FamilyStore {
  readonly #db: Sql;
  readonly #clock: Clock;

  constructor({ db, clock }: { db: Sql; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  async open(family: Family): Promise<boolean> {
    const opened = await affected(
      this.#db,
      `insert into families (id, account_id, client_id, sid, current_hash, payload, expires_at)
       values (:id, :accountId, :clientId, :sid, :currentHash, :payload, :expiresAt)
       on conflict (id) do update set
         account_id = excluded.account_id, client_id = excluded.client_id, sid = excluded.sid,
         current_hash = excluded.current_hash, payload = excluded.payload, expires_at = excluded.expires_at,
         answer = null, answer_until = null, ended = false
       where families.expires_at <= :now`,
      {
        id: family.id,
        accountId: family.accountId,
        clientId: family.clientId,
        sid: family.sid ?? null,
        currentHash: family.currentHash,
        payload: family.payload,
        expiresAt: family.expiresAt,
        now: this.#clock.now(),
      },
    );
    return opened === 1;
  }

  async find(familyId: string): Promise<StoredFamily | undefined> {
    if (!storable(familyId)) return undefined;
    const [row] = await rows<FamilyRow>(
      this.#db,
      `select id, account_id, client_id, sid, current_hash, payload, expires_at,
         case when answer_until > :now then answer end as answer
       from families where id = :familyId and not ended and expires_at > :now`,
      { familyId, now: this.#clock.now() },
    );
    return row && toFamily(row);
  }

  async rotate(familyId: string, from: string, to: Rotation): Promise<boolean> {
    if (!storable(familyId, from)) return false;
    const rotated = await affected(
      this.#db,
      `update families set
         current_hash = :hash, payload = :payload, expires_at = :expiresAt,
         answer = :answer, answer_until = :answerUntil
       where id = :familyId and current_hash = :from and not ended and expires_at > :now`,
      {
        familyId,
        from,
        hash: to.hash,
        payload: to.payload,
        expiresAt: to.expiresAt,
        answer: to.storedResponse?.sealed ?? null,
        answerUntil: to.storedResponse?.until ?? null,
        now: this.#clock.now(),
      },
    );
    return rotated === 1;
  }

  async end(familyId: string, until: number): Promise<void> {
    if (!storable(familyId)) return;
    await affected(
      this.#db,
      `insert into families (id, account_id, client_id, current_hash, payload, expires_at, ended)
       values (:familyId, '', '', '', '', :until, true)
       on conflict (id) do update set
         current_hash = '', payload = '', answer = null, answer_until = null, ended = true,
         expires_at = case when families.ended then greatest(families.expires_at, excluded.expires_at)
           else excluded.expires_at end`,
      { familyId, until },
    );
  }
}

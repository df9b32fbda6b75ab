import { emailKey } from '../../provider/ports/account-store.ts';
import type {
  MailSuppression,
  MailSuppressions,
  SuppressionReason,
} from '../../provider/ports/mail-suppressions.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface Row {
  address: string;
  reason: SuppressionReason;
  at: string;
  expires_at: string;
}

const toSuppression = ({ address, reason, at, expires_at }: Row): MailSuppression => ({
  address,
  reason,
  at: Number(at),
  expiresAt: Number(expires_at),
});

export class PostgresMailSuppressions implements MailSuppressions {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async add({ address, reason, at, expiresAt }: MailSuppression): Promise<void> {
    await affected(
      this.#db,
      `insert into mail_suppressions as known (address, reason, at, expires_at)
       values (:address, :reason, :at, :expiresAt)
       on conflict (address) do update
       set reason = excluded.reason, at = excluded.at, expires_at = excluded.expires_at
       where known.at <= excluded.at`,
      { address: emailKey(address), reason, at, expiresAt },
    );
  }

  async find(address: string, now: number): Promise<MailSuppression | undefined> {
    if (!storable(address)) return undefined;
    const [row] = await rows<Row>(
      this.#db,
      'select * from mail_suppressions where address = :address and expires_at > :now',
      { address: emailKey(address), now },
    );
    return row && toSuppression(row);
  }

  async list(limit: number, now: number): Promise<MailSuppression[]> {
    const found = await rows<Row>(
      this.#db,
      'select * from mail_suppressions where expires_at > :now order by at desc, address limit :limit',
      { limit, now },
    );
    return found.map(toSuppression);
  }

  async remove(address: string): Promise<boolean> {
    if (!storable(address)) return false;
    const text = 'delete from mail_suppressions where address = :address';
    return (await affected(this.#db, text, { address: emailKey(address) })) === 1;
  }
}

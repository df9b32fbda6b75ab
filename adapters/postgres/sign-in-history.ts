import { keptSignIns, type RecentSignIn, type SignInHistory } from '../../provider/ports/sign-in-history.ts';
import { rows, type Sql } from './sql.ts';

interface SignInRow {
  account_id: string;
  at: string;
  client_id: string;
  amr: string[];
  ip: string | null;
  user_agent: string | null;
}

/** `PostgresOutbox` writes the rows. */
export class PostgresSignInHistory implements SignInHistory {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async list(accountId: string, now: number): Promise<RecentSignIn[]> {
    const found = await rows<SignInRow>(
      this.#db,
      `select * from recent_sign_ins where account_id = :accountId and expires_at > :now
       order by position desc limit :limit`,
      { accountId, now, limit: keptSignIns },
    );
    return found.map((row) => ({
      accountId: row.account_id,
      at: Number(row.at),
      clientId: row.client_id,
      amr: row.amr,
      ip: row.ip ?? undefined,
      userAgent: row.user_agent ?? undefined,
    }));
  }
}

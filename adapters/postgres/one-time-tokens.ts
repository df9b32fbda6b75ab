import {
  mostWrongCodes,
  type OneTimeToken,
  type OneTimeTokens,
} from '../../provider/ports/one-time-tokens.ts';
import { affected, rows, type Sql, storable } from './sql.ts';

interface TokenRow {
  purpose: string;
  subject: string;
  hash: string;
  account_id: string | null;
  token_version: number | null;
  address: string;
  details: string | null;
  flow_hash: string | null;
  code_hash: string | null;
  expires_at: string;
}

const toToken = (row: TokenRow): OneTimeToken => ({
  purpose: row.purpose,
  subject: row.subject,
  hash: row.hash,
  accountId: row.account_id ?? undefined,
  tokenVersion: row.token_version ?? undefined,
  address: row.address,
  details: row.details ?? undefined,
  code:
    row.flow_hash === null || row.code_hash === null
      ? undefined
      : { flowHash: row.flow_hash, hash: row.code_hash },
  expiresAt: Number(row.expires_at),
});

export class PostgresOneTimeTokens implements OneTimeTokens {
  readonly #db: Sql;

  constructor({ db }: { db: Sql }) {
    this.#db = db;
  }

  async replace({ code, ...token }: OneTimeToken): Promise<void> {
    await affected(
      this.#db,
      `insert into one_time_tokens (purpose, subject, hash, account_id, token_version, address, details, flow_hash,
         code_hash, expires_at)
       values (:purpose, :subject, :hash, :accountId, :tokenVersion, :address, :details, :flowHash, :codeHash, :expiresAt)
       on conflict (purpose, subject) do update set hash = excluded.hash, account_id = excluded.account_id,
         token_version = excluded.token_version, address = excluded.address, details = excluded.details,
         flow_hash = excluded.flow_hash, code_hash = excluded.code_hash, wrong_codes = 0,
         expires_at = excluded.expires_at`,
      {
        ...token,
        accountId: token.accountId ?? null,
        tokenVersion: token.tokenVersion ?? null,
        details: token.details ?? null,
        flowHash: code?.flowHash ?? null,
        codeHash: code?.hash ?? null,
      },
    );
  }

  async find(hash: string, now: number): Promise<OneTimeToken | undefined> {
    if (!storable(hash)) return undefined;
    const [row] = await rows<TokenRow>(
      this.#db,
      'select * from one_time_tokens where hash = :hash and expires_at > :now',
      { hash, now },
    );
    return row && toToken(row);
  }

  async tryCode(
    { flowHash, hash }: { flowHash: string; hash: string },
    now: number,
  ): Promise<OneTimeToken | undefined> {
    if (!storable(flowHash, hash)) return undefined;
    const [row] = await rows<TokenRow & { is_right: boolean }>(
      this.#db,
      `update one_time_tokens set wrong_codes = wrong_codes + (code_hash <> :hash)::integer
       where flow_hash = :flowHash and wrong_codes < :most and expires_at > :now
       returning *, code_hash = :hash as is_right`,
      { flowHash, hash, most: mostWrongCodes, now },
    );
    return row?.is_right ? toToken(row) : undefined;
  }

  async spend(hash: string, now: number): Promise<boolean> {
    if (!storable(hash)) return false;
    const spent = await affected(
      this.#db,
      'delete from one_time_tokens where hash = :hash and expires_at > :now',
      { hash, now },
    );
    return spent === 1;
  }

  async remove(purpose: string, subject: string): Promise<void> {
    await affected(this.#db, 'delete from one_time_tokens where purpose = :purpose and subject = :subject', {
      purpose,
      subject,
    });
  }
}

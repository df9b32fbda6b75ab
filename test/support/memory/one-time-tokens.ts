import {
  mostWrongCodes,
  type OneTimeToken,
  type OneTimeTokens,
} from '../../../provider/ports/one-time-tokens.ts';
import { type Access, MemoryDatabase, type OneTimeTokenRow } from './database.ts';

/** One-time tokens in memory, alone or in a MemoryDatabase shared with the other stores of a transaction. */
export class MemoryOneTimeTokens implements OneTimeTokens {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  async replace(token: OneTimeToken): Promise<void> {
    await this.#database.use(({ oneTimeTokens }) =>
      oneTimeTokens.set(keyOf(token.purpose, token.subject), { token: { ...token }, wrongCodes: 0 }),
    );
  }

  find(hash: string, now: number): Promise<OneTimeToken | undefined> {
    return this.#database.use(({ oneTimeTokens }) => {
      const row = liveRow(oneTimeTokens, now, ({ token }) => token.hash === hash);
      return row && { ...row.token };
    });
  }

  tryCode(
    { flowHash, hash }: { flowHash: string; hash: string },
    now: number,
  ): Promise<OneTimeToken | undefined> {
    return this.#database.use(({ oneTimeTokens }) => {
      const row = liveRow(oneTimeTokens, now, ({ token }) => token.code?.flowHash === flowHash);
      if (row === undefined || row.wrongCodes >= mostWrongCodes) return undefined;
      if (row.token.code?.hash === hash) return { ...row.token };
      const counted = { ...row, wrongCodes: row.wrongCodes + 1 };
      oneTimeTokens.set(keyOf(row.token.purpose, row.token.subject), counted);
      return undefined;
    });
  }

  spend(hash: string, now: number): Promise<boolean> {
    return this.#database.use(({ oneTimeTokens }) => {
      const row = liveRow(oneTimeTokens, now, ({ token }) => token.hash === hash);
      return row !== undefined && oneTimeTokens.delete(keyOf(row.token.purpose, row.token.subject));
    });
  }

  async remove(purpose: string, subject: string): Promise<void> {
    await this.#database.use(({ oneTimeTokens }) => oneTimeTokens.delete(keyOf(purpose, subject)));
  }
}

const keyOf = (purpose: string, subject: string) => JSON.stringify([purpose, subject]);

const liveRow = (
  table: Map<string, OneTimeTokenRow>,
  now: number,
  is: (row: OneTimeTokenRow) => boolean,
): OneTimeTokenRow | undefined => [...table.values()].find((row) => row.token.expiresAt > now && is(row));

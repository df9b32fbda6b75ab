import {
  keptSignInMs,
  keptSignIns,
  type RecentSignIn,
  type SignInHistory,
} from '../../../provider/ports/sign-in-history.ts';
import { type Access, MemoryDatabase } from './database.ts';

/** The last sign-ins in memory. `MemoryOutbox` writes them. */
export class MemorySignInHistory implements SignInHistory {
  readonly #database: Access;

  constructor({ database = new MemoryDatabase() }: { database?: Access } = {}) {
    this.#database = database;
  }

  list(accountId: string, now: number): Promise<RecentSignIn[]> {
    return this.#database.use(({ recentSignIns }) =>
      [...recentSignIns.values()]
        .filter((signIn) => signIn.accountId === accountId && signIn.at + keptSignInMs > now)
        .reverse()
        .slice(0, keptSignIns),
    );
  }
}

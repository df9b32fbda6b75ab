import { signInHistoryContract } from '../../contract/sign-in-history.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryOutbox } from '../../support/memory/outbox.ts';
import { MemorySignInHistory } from '../../support/memory/sign-in-history.ts';

signInHistoryContract('MemorySignInHistory', async () => {
  const database = new MemoryDatabase();
  return {
    store: new MemorySignInHistory({ database }),
    outbox: new MemoryOutbox({ database }),
    count: (accountId) =>
      database.use(
        ({ recentSignIns }) =>
          [...recentSignIns.values()].filter((signIn) => signIn.accountId === accountId).length,
      ),
    close: async () => {},
  };
});

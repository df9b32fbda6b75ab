import { expect, test } from '@jest/globals';
import { systemClock as clock } from '../../../provider/lib/clock.ts';
import { sampleAccount } from '../../contract/account-store.ts';
import { unitOfWorkContract } from '../../contract/unit-of-work.ts';
import { MemoryAccountStore } from '../../support/memory/account-store.ts';
import { MemoryConsentStore } from '../../support/memory/consent-store.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryOutbox } from '../../support/memory/outbox.ts';
import { MemoryRevocationStore } from '../../support/memory/revocation-store.ts';
import { MemorySignInHistory } from '../../support/memory/sign-in-history.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

function openMemory() {
  const database = new MemoryDatabase();
  return {
    unitOfWork: new MemoryUnitOfWork({ database }),
    accounts: new MemoryAccountStore({ database }),
    consents: new MemoryConsentStore({ database }),
    outbox: new MemoryOutbox({ database }),
    denylist: new MemoryRevocationStore({ database, clock }),
    history: new MemorySignInHistory({ database }),
    close: async () => {},
  };
}

unitOfWorkContract('MemoryUnitOfWork', async () => openMemory());

test('writes outside a transaction wait for its end and remain if it fails', async () => {
  const { unitOfWork, accounts } = openMemory();
  const [inside, outside] = [sampleAccount(), sampleAccount()];
  let beside: Promise<boolean> | undefined;
  const run = unitOfWork.run(async (stores) => {
    await stores.accounts.insert(inside);
    beside = accounts.insert(outside);
    throw new Error('changed its mind');
  });
  await expect(run).rejects.toThrow('changed its mind');
  expect(await beside).toBe(true);
  expect(await accounts.findById(inside.id)).toBeUndefined();
  expect(await accounts.findById(outside.id)).toEqual(outside);
});

import { mailsContract } from '../../contract/mails.ts';
import { MemoryDatabase } from '../../support/memory/database.ts';
import { MemoryMails } from '../../support/memory/mails.ts';
import { MemoryUnitOfWork } from '../../support/memory/unit-of-work.ts';

mailsContract('MemoryMails', async () => {
  const database = new MemoryDatabase();
  return {
    mails: new MemoryMails({ database }),
    unitOfWork: new MemoryUnitOfWork({ database }),
    close: async () => {},
  };
});

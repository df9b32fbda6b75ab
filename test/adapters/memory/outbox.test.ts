import { outboxContract } from '../../contract/outbox.ts';
import { MemoryOutbox } from '../../support/memory/outbox.ts';

outboxContract('MemoryOutbox', async () => ({ store: new MemoryOutbox(), close: async () => {} }));

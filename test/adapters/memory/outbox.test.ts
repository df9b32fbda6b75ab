import { MemoryOutbox } from '../../../provider/adapters/memory/outbox.ts';
import { outboxContract } from '../../contract/outbox.ts';

outboxContract('MemoryOutbox', async () => ({ store: new MemoryOutbox(), close: async () => {} }));

import { beforeEach, expect, test } from '@jest/globals';
import { checkClientDocument } from '../../provider/clients/check-client-document.ts';
import type { ClientDocument } from '../../provider/clients/client-document.ts';
import { createNewEvent } from '../../provider/events/catalogue.ts';
import { createConfigurationChanges } from '../../provider/events/configuration-changes.ts';
import { announcedDigests, clientsFileTopic } from '../../provider/ports/announcements.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { createClientRevocation } from '../../provider/revocation/client-revocation.ts';
import { publicClient } from '../clients/client-documents.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

const clock = createManualClock();
let denylist: MemoryRevocationStore;
let unitOfWork: UnitOfWork;
let cached: string[];
beforeEach(() => {
  const database = new MemoryDatabase();
  denylist = new MemoryRevocationStore({ database, clock });
  unitOfWork = new MemoryUnitOfWork({ database, clock });
  cached = [];
});

/** The changes of one process. */
const createProcess = () =>
  createConfigurationChanges({
    unitOfWork,
    newEvent: createNewEvent({ clock }),
    logger: { warn: () => {} },
    endClients: createClientRevocation({
      unitOfWork,
      clock,
      refreshTokenSeconds: 60,
      denylist: { cacheEntries: async (keys) => void cached.push(...keys) },
    }).endWithin,
  });

const file = { name: '/etc/clients.yaml', eachByItself: false };
const store = { name: 'store', eachByItself: true };
const documents = (...ids: string[]): ClientDocument[] =>
  ids.map((id) => {
    const checked = checkClientDocument(publicClient({ id }));
    if (!checked.ok) throw new Error(`${id} is a good client`);
    return checked.document;
  });
const revoked = async () => (await denylist.inForce({ limit: 10 })).map(({ key }) => key);

test('a client that leaves the file loses what it was issued, once, although every process notices', async () => {
  const processes = Array.from({ length: 3 }, createProcess);
  for (const ids of [['web', 'gone'], ['web']])
    for (const changes of processes) await changes.clients(file, documents(...ids));
  expect(await revoked()).toEqual(['client:gone@0']);
  expect(cached).toEqual(['client:gone@0']);
});

test('a client that left the file keeps its tokens if the store has it', async () => {
  const changes = createProcess();
  await changes.clients(file, documents('moved', 'gone'));
  await unitOfWork.run(({ clients }) =>
    clients.put({ id: 'moved', owner: { source: 'commands', name: 'x' }, document: {}, secrets: [] }),
  );
  await changes.clients(file, []);
  expect(await revoked()).toEqual(['client:gone@0']);
});

test('people keep their consents for a client that is disabled in the file, and not for one that left it', async () => {
  const changes = createProcess();
  const [disabled, gone] = documents('disabled', 'gone');
  if (!disabled || !gone) throw new Error('two clients were made');
  const find = (clientId: string) => unitOfWork.run(({ consents }) => consents.find('user_1', clientId));
  await changes.clients(file, [disabled, gone]);
  for (const { id: clientId } of [disabled, gone])
    await unitOfWork.run(({ consents }) =>
      consents.add(
        { accountId: 'user_1', clientId, oidcScopes: ['openid'], resourceScopes: {} },
        clock.now(),
      ),
    );
  await changes.clients(file, [{ ...disabled, enabled: false }]);
  expect(await revoked()).toEqual(['client:disabled@0', 'client:gone@0']);
  expect([await find('disabled'), await find('gone')]).toEqual([expect.anything(), undefined]);
  await changes.clients(file, []);
  expect(await find('disabled')).toBeUndefined();
});

test('a client that left the store is not revoked here, because the deletion did that', async () => {
  const changes = createProcess();
  await changes.clients(store, documents('web'));
  await changes.clients(store, []);
  expect(await revoked()).toEqual([]);
});

test('the ids of the file can be read under one topic, whatever its path, and not those of the store', async () => {
  const changes = createProcess();
  const ids = () =>
    unitOfWork.run(async ({ announcements }) => [
      ...announcedDigests(await announcements.read(clientsFileTopic)).keys(),
    ]);
  await changes.clients(file, documents('bb', 'aa'));
  await changes.clients(store, documents('cc'));
  expect(await ids()).toEqual(['aa', 'bb']);
  await changes.clients({ ...file, name: 'demo' }, documents('dd'));
  expect(await ids()).toEqual(['dd']);
});

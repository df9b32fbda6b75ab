import { beforeEach, expect, test } from '@jest/globals';
import { ClientsTaken, type ClientWrites, createClientWrites } from '../../provider/clients/apply-clients.ts';
import { digestOf } from '../../provider/clients/stored-secrets.ts';
import { announcedState, clientsFileTopic } from '../../provider/ports/announcements.ts';
import type { ClientOwner } from '../../provider/ports/client-store.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryClientStore } from '../support/memory/client-store.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

const owner: ClientOwner = { source: 'commands', name: 'default' };
const clock = createManualClock();
let store: MemoryClientStore;
let unitOfWork: UnitOfWork;
let ended: string[];
let writes: ClientWrites;
beforeEach(() => {
  const database = new MemoryDatabase();
  store = new MemoryClientStore({ database });
  unitOfWork = new MemoryUnitOfWork({ database, clock });
  ended = [];
  writes = writesWith(unitOfWork);
});

const writesWith = (through: UnitOfWork) =>
  createClientWrites({
    store,
    unitOfWork: through,
    endClients:
      async (_, { deleted, disabled }) =>
      async () =>
        void ended.push(...deleted, ...disabled.map((id) => `${id}, disabled`)),
    clock,
  });
const wanted = (id: string, more: Record<string, unknown> = {}) => ({ id, document: { id, ...more } });
const request = (...clients: ReturnType<typeof wanted>[]) => ({ owner, wanted: clients, prune: false });

test('a second apply writes nothing and generates nothing', async () => {
  const first = await writes.apply(request(wanted('web'), wanted('spa', { auth: 'none' })));
  expect(first.secrets).toEqual([{ clientId: 'web', secret: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  expect(await store.find('web')).toMatchObject({
    owner,
    secrets: [{ sha256: digestOf(first.secrets[0]?.secret ?? '') }],
  });
  const version = await store.version();
  const second = await writes.apply(request(wanted('web'), wanted('spa', { auth: 'none' })), async () => {
    throw new Error('no secret is needed');
  });
  expect([second.secrets, second.plan.changes, await store.version()]).toEqual([[], [], version]);
});

test('of ten parallel applies, one creates the client, and only its secret is given out', async () => {
  const results = await Promise.all(Array.from({ length: 10 }, () => writes.apply(request(wanted('web')))));
  const secrets = results.flatMap((result) => result.secrets);
  expect(secrets).toHaveLength(1);
  expect((await store.find('web'))?.secrets).toEqual([{ sha256: digestOf(secrets[0]?.secret ?? '') }]);
});

test('nothing is written if a secret cannot be kept', async () => {
  const full = async () => {
    throw new Error('disk full');
  };
  await expect(writes.apply(request(wanted('web')), full)).rejects.toThrow('disk full');
  expect(await store.all()).toEqual([]);
});

test('a change between plan and transaction leads to a new plan, and the secret is the same', async () => {
  let interfere = true;
  const slow: UnitOfWork = {
    run: async (work) => {
      // The first transaction reads the announcements, the second one writes.
      if (interfere && (await store.find('other')) !== undefined) {
        interfere = false;
        await unitOfWork.run(({ clients }) => clients.delete('other', owner));
      }
      return unitOfWork.run(work);
    },
  };
  await writes.apply(request(wanted('other', { auth: 'none' })));
  const kept: string[] = [];
  const result = await writesWith(slow).apply(
    request(wanted('web'), wanted('other', { auth: 'none', name: 'New' })),
    async (secrets) => void kept.push(...secrets.map(({ secret }) => secret)),
  );
  expect(result.secrets.map(({ secret }) => secret)).toEqual(kept);
  expect((await store.all()).map(({ id }) => id)).toEqual(['other', 'web']);
});

test('clients of another owner and of a file stop everything, and are all named', async () => {
  const other: ClientOwner = { source: 'kubernetes', name: 'a/b' };
  await unitOfWork.run(async ({ clients, announcements }) => {
    await clients.put({ id: 'theirs', owner: other, document: {}, secrets: [] });
    await announcements.exchange(clientsFileTopic, announcedState(new Map([['in-file', 'digest']])));
  });
  const all = request(wanted('theirs'), wanted('in-file'), wanted('web'));
  const failure = await writes.apply(all).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ClientsTaken);
  expect((failure as ClientsTaken).conflicts).toEqual([
    { id: 'theirs', by: other },
    { id: 'in-file', by: 'file' },
  ]);
  expect((await store.all()).map(({ id }) => id)).toEqual(['theirs']);
  await writes.apply({ ...request(wanted('in-file'), wanted('web')), fromFile: true });
  expect((await store.all()).map(({ id }) => id)).toEqual(['in-file', 'theirs', 'web']);
  await expect(writes.delete('theirs', owner)).rejects.toBeInstanceOf(ClientsTaken);
  await expect(writes.changeSecrets('theirs', owner, async () => [])).rejects.toBeInstanceOf(ClientsTaken);
});

test('deleted and disabled clients end, after the commit', async () => {
  await writes.apply(request(wanted('one'), wanted('two'), wanted('three')));
  await writes.apply({ owner, wanted: [wanted('one', { enabled: false }), wanted('two')], prune: true });
  expect(ended).toEqual(['three', 'one, disabled']);
  expect(await writes.delete('two', owner)).toBe(true);
  expect(await writes.delete('two', owner)).toBe(false);
  expect(ended).toEqual(['three', 'one, disabled', 'two']);
});

test('parallel changes of secrets all count', async () => {
  await writes.apply(request(wanted('web')));
  await Promise.all(
    ['a', 'b', 'c'].map((sha256) =>
      writes.changeSecrets('web', owner, async ({ secrets }) => [...secrets, { sha256 }]),
    ),
  );
  expect((await store.find('web'))?.secrets).toHaveLength(4);
  expect(await writes.changeSecrets('none', owner, async () => [])).toBeUndefined();
});

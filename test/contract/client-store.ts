import { beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type {
  ClientOwner,
  ClientStore,
  ClientWriter,
  StoredClient,
} from '../../provider/ports/client-store.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { useFixture } from './fixture.ts';

export interface ClientStoreFixture {
  store: ClientStore;
  unitOfWork: UnitOfWork;
  /** A second pair over the same data, with its own connections. */
  another?: { store: ClientStore; unitOfWork: UnitOfWork };
  close(): Promise<void>;
}

const ann: ClientOwner = { source: 'commands', name: 'ann' };
const bob: ClientOwner = { source: 'commands', name: 'bob' };

type Put = Pick<StoredClient, 'id' | 'owner' | 'document' | 'secrets'>;

const client = (id: string, more: Partial<Put> = {}): Put => ({
  id,
  owner: ann,
  document: { id, name: 'Ünïcode “quotes”', scopes: ['b', 'a'], nested: { one: [1, null, false] } },
  secrets: [{ sha256: 'one', notAfter: '2030-01-01T00:00:00.000Z' }, { sha256: 'two' }],
  ...more,
});

/** Checks every sentence of `provider/ports/client-store.ts` on what `open` gives. */
export function clientStoreContract(name: string, open: () => Promise<ClientStoreFixture>): void {
  describe(`${name} keeps the contract of ClientStore and ClientWriter`, () => {
    const fixture = useFixture(open);
    const store = () => fixture().store;
    const write = <T>(work: (clients: ClientWriter) => Promise<T>, unitOfWork = fixture().unitOfWork) =>
      unitOfWork.run(({ clients }) => work(clients));
    const put = (given: Put, expected?: string) => write((clients) => clients.put(given, expected));
    const remove = (id: string, owner = ann) => write((clients) => clients.delete(id, owner));

    beforeEach(async () => {
      for (const { id, owner } of await store().all()) await remove(id, owner);
    });

    test('gives back what was put, alone and with all others', async () => {
      const [one, other] = [client('B.1'), client('a-2', { owner: { source: 'kubernetes', name: 'ns/x' } })];
      const before = Date.now() - 60_000;
      const created = await put(one);
      await put(other);
      expect(created).toEqual({ outcome: 'created', revision: expect.any(String) });
      const found = await store().find('B.1');
      expect(found).toEqual({
        ...one,
        revision: (created as { revision: string }).revision,
        updatedAt: expect.any(Number),
      });
      expect(found?.updatedAt).toBeGreaterThan(before);
      expect(found?.updatedAt).toBeLessThan(before + 120_000);
      expect((await store().all()).map(({ id }) => id)).toEqual(['B.1', 'a-2']);
      expect((await store().all())[1]).toMatchObject(other);
      expect(await store().find('b.1')).toBeUndefined();
      expect(await write((clients) => clients.find('a-2'))).toMatchObject(other);
    });

    test('an equal write changes nothing, whatever the order of the members; any other write does', async () => {
      const created = await put(client('web'));
      const version = await store().version();
      const { nested, scopes, name: text, id } = client('web').document;
      const same = client('web', { document: { nested, scopes, name: text, id } });
      expect(await put(same)).toEqual({ outcome: 'unchanged', revision: expect.any(String) });
      expect(await store().version()).toBe(version);
      const before = await store().find('web');
      expect([created]).toEqual([{ outcome: 'created', revision: before?.revision }]);

      const seen = new Set([version]);
      const changes = [{ document: { id: 'web' } }, { document: { id: 'web' }, secrets: [] }];
      for (const change of changes) {
        expect(await put(client('web', change))).toMatchObject({ outcome: 'updated' });
        seen.add(await store().version());
      }
      expect(seen.size).toBe(3);
      const after = await store().find('web');
      expect(after).toMatchObject({ document: { id: 'web' }, secrets: [] });
      expect(after?.revision).not.toBe(before?.revision);
    });

    test('only the owner can change or delete a client; others get the name of the owner', async () => {
      await put(client('web'));
      const kubernetes: ClientOwner = { source: 'kubernetes', name: 'ann' };
      for (const owner of [bob, kubernetes]) {
        expect(await put(client('web', { owner, document: {} }))).toEqual({ outcome: 'taken', by: ann });
        expect(await put(client('web', { owner }))).toEqual({ outcome: 'taken', by: ann });
        expect(await remove('web', owner)).toEqual({ outcome: 'taken', by: ann });
      }
      expect(await store().find('web')).toMatchObject(client('web'));
      expect(await remove('web')).toEqual({ outcome: 'deleted' });
      expect(await remove('web')).toEqual({ outcome: 'unchanged' });
      expect(await store().find('web')).toBeUndefined();
      expect(await put(client('web', { owner: bob }))).toMatchObject({ outcome: 'created' });
    });

    test('a write with a revision happens only if the client still has it', async () => {
      expect(await put(client('web'), '1')).toEqual({ outcome: 'changed' });
      expect(await store().find('web')).toBeUndefined();
      await put(client('web'));
      const { revision } = (await store().find('web')) ?? { revision: '' };
      await put(client('web', { secrets: [] }), revision);
      expect(await put(client('web', { document: {} }), revision)).toEqual({ outcome: 'changed' });
      expect(await store().find('web')).toMatchObject({ document: client('web').document, secrets: [] });
      await remove('web');
      await put(client('web'));
      expect(await put(client('web', { document: {} }), revision)).toEqual({ outcome: 'changed' });
    });

    test('the version differs after each change, also after a client replaced another', async () => {
      const seen = [await store().version()];
      const changes = [
        () => put(client('a')),
        () => put(client('b')),
        () => put(client('a', { secrets: [] })),
        () =>
          write(async (clients) => {
            await clients.delete('a', ann);
            return clients.put(client('c'));
          }),
        () => remove('b'),
      ];
      for (const change of changes) {
        await change();
        seen.push(await store().version());
      }
      expect(new Set(seen).size).toBe(seen.length);
    });

    test('the writes of a transaction are visible together or not at all', async () => {
      await put(client('old'));
      const version = await store().version();
      const run = write(async (clients) => {
        await clients.put(client('new'));
        await clients.delete('old', ann);
        expect([await clients.find('new'), await clients.find('old')]).toEqual([
          expect.objectContaining({ id: 'new' }),
          undefined,
        ]);
        throw new Error('changed its mind');
      });
      await expect(run).rejects.toThrow('changed its mind');
      expect((await store().all()).map(({ id }) => id)).toEqual(['old']);
      expect(await store().version()).toBe(version);
    });

    test('of 12 owners that write one id at once, one creates it, and the others learn its name', async () => {
      const pairs = [fixture(), fixture().another ?? fixture()];
      const id = newId('client');
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, at) =>
          write(
            (clients) => clients.put(client(id, { owner: { source: 'commands', name: `owner ${at}` } })),
            pairs[at % 2]?.unitOfWork,
          ),
        ),
      );
      expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      const owner = (await store().find(id))?.owner;
      expect(results.filter(({ outcome }) => outcome === 'taken')).toEqual(
        Array.from({ length: 11 }, () => ({ outcome: 'taken', by: owner })),
      );
    });

    test('of 12 parallel writes of one revision, one succeeds; transactions that write in another order finish', async () => {
      const pairs = [fixture(), fixture().another ?? fixture()];
      await put(client('a'));
      await put(client('b'));
      const { revision } = (await store().find('a')) ?? { revision: '' };
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, at) =>
          write(
            async (clients) => {
              const order = at % 4 < 2 ? ['b', 'c'] : ['c', 'b'];
              for (const id of order) await clients.put(client(id, { document: { by: at } }));
              return clients.put(client('a', { document: { by: at } }), revision);
            },
            pairs[at % 2]?.unitOfWork,
          ),
        ),
      );
      expect(results.map(({ outcome }) => outcome).sort()).toEqual([
        ...Array.from({ length: 11 }, () => 'changed'),
        'updated',
      ]);
      expect((await store().find('b'))?.document).toEqual((await store().find('c'))?.document);
    });
  });
}

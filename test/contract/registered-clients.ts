import { describe, expect, test } from '@jest/globals';
import { newId, randomToken } from '../../provider/lib/ids.ts';
import type { RegisteredClient, RegisteredClients } from '../../provider/ports/registered-clients.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { useFixture } from './fixture.ts';

export interface RegisteredClientsFixture {
  /** Without clients. */
  store: RegisteredClients;
  /** A second one over the same data, with its own connections. */
  another?: RegisteredClients;
  /** Uses the same data. */
  unitOfWork: UnitOfWork;
  close(): Promise<void>;
}

const now = 1_700_000_000_000;
const noLimit = { most: 1000, now };

const aClient = (changes: Partial<RegisteredClient> = {}): RegisteredClient => ({
  id: newId('registered'),
  metadata: { client_name: 'Üben ☃', redirect_uris: ['https://app.example.com/'] },
  secretSha256: randomToken(),
  accessTokenSha256: randomToken(),
  createdAt: now,
  expiresAt: now + 1000,
  ...changes,
});

/** Checks every sentence of `provider/ports/registered-clients.ts` on what `open` gives. */
export function registeredClientsContract(name: string, open: () => Promise<RegisteredClientsFixture>): void {
  describe(`${name} keeps the contract of RegisteredClients`, () => {
    const fixture = useFixture(open, 'test');
    const other = () => fixture().another ?? fixture().store;

    test('gives what was added, until it expires', async () => {
      const { store } = fixture();
      const [client, publicClient] = [aClient(), aClient({ secretSha256: undefined, createdAt: now + 1 })];
      for (const one of [client, publicClient]) expect(await store.add(one, noLimit)).toBe(true);
      expect(await other().find(client.id, now + 999)).toEqual(client);
      expect(await other().find(publicClient.id, now)).toEqual(publicClient);
      expect(await other().list(now)).toEqual([publicClient, client]);
      expect(await store.find(client.id, now + 1000)).toBeUndefined();
      expect(await store.list(now + 1000)).toEqual([]);
      for (const id of ['unknown', 'NUL \0', '\uD800'])
        expect([await store.find(id, now), await store.remove(id)]).toEqual([undefined, false]);
    });

    test('adds no more than so many that have not expired', async () => {
      const { store } = fixture();
      const limit = { most: 2, now };
      expect(await store.add(aClient({ expiresAt: now }), limit)).toBe(true);
      for (const isStored of [true, true, false]) expect(await store.add(aClient(), limit)).toBe(isStored);
      expect(await store.list(now)).toHaveLength(2);
    });

    test('replaces metadata and secret, and nothing else', async () => {
      const { store } = fixture();
      const client = aClient();
      await store.add(client, noLimit);
      const change = { id: client.id, metadata: { client_name: 'New' }, secretSha256: undefined };
      expect(await other().update(change)).toBe(true);
      expect(await store.find(client.id, now)).toEqual({ ...client, ...change });
      expect(await store.update({ ...change, id: 'unknown' })).toBe(false);
    });

    test('moves the end only to a later time', async () => {
      const { store } = fixture();
      const client = aClient();
      await store.add(client, noLimit);
      await store.keep(client.id, now + 5000);
      await other().keep(client.id, now + 10);
      expect((await store.find(client.id, now))?.expiresAt).toBe(now + 5000);
    });

    test('of 12 parallel calls to remove a client, one gets true', async () => {
      const client = aClient();
      await fixture().store.add(client, noLimit);
      const stores = [fixture().store, other()];
      const calls = Array.from({ length: 12 }, (_, index) => stores[index % 2]?.remove(client.id));
      expect((await Promise.all(calls)).filter(Boolean)).toHaveLength(1);
    });

    test('the writes of a failed transaction are undone', async () => {
      const [client, added] = [aClient(), aClient()];
      await fixture().store.add(client, noLimit);
      const run = fixture().unitOfWork.run(async ({ registeredClients }) => {
        await registeredClients.remove(client.id);
        await registeredClients.add(added, noLimit);
        throw new Error('changed its mind');
      });
      await expect(run).rejects.toThrow('changed its mind');
      expect(await fixture().store.list(now)).toEqual([client]);
    });

    test('has a token until it expires', async () => {
      const sha256 = randomToken();
      await fixture().store.addToken(sha256, now + 1000);
      expect(await other().hasToken(sha256, now + 999)).toBe(true);
      expect(await other().hasToken(sha256, now + 1000)).toBe(false);
      expect(await other().hasToken(randomToken(), now)).toBe(false);
    });
  });
}

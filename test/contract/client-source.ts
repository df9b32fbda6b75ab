import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ClientSource, ClientSourceUnreadable } from '../../provider/ports/client-source.ts';
import type { ClientOwner, ClientStore } from '../../provider/ports/client-store.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { waitFor } from '../support/wait-for.ts';

export interface ClientSourceFixture {
  source: ClientSource;
  /** Whether the source gives every document an id, as a store does. */
  addsIds?: boolean;
  /** Replaces the source's documents with these. */
  put(documents: readonly Record<string, unknown>[]): Promise<void>;
  /** Makes the source unreadable, if this kind of source can become unreadable. */
  spoil?(): Promise<void>;
  close(): Promise<void>;
}

/** Checks every sentence of `provider/ports/client-source.ts` on the source that `open` gives. It starts empty. */
export function clientSourceContract(name: string, open: () => Promise<ClientSourceFixture>): void {
  describe(`${name} keeps the contract of ClientSource`, () => {
    let fixture: ClientSourceFixture;

    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(() => fixture.close());

    const values = async () => (await fixture.source.load()).map(({ value }) => value);

    const watched = () => {
      const calls = { count: 0 };
      const stop = fixture.source.watch(() => {
        calls.count += 1;
      });
      return { calls, stop };
    };

    test('has a name for logs', () => {
      expect(fixture.source.name).not.toBe('');
    });

    test('returns all documents unchanged and unchecked', async () => {
      const documents = [{ id: 'one', redirectUris: ['https://a'] }, { anything: { goes: [1, true, null] } }];
      await fixture.put(documents);
      const given = await values();
      if (fixture.addsIds)
        expect(given.map((value) => (value as { id: string }).id)).toEqual(['nameless-1', 'one']);
      const expected = fixture.addsIds ? [{ ...documents[1], id: 'nameless-1' }, documents[0]] : documents;
      expect(given).toEqual(expected);
    });

    test('returns the origin of each document', async () => {
      await fixture.put([{ id: 'one' }]);
      expect((await fixture.source.load())[0]?.origin).toEqual(expect.stringMatching(/./));
    });

    test('returns no documents if it is empty', async () => {
      await fixture.put([]);
      expect(await values()).toEqual([]);
    });

    test('calls its watcher after a change, when the change can already be loaded', async () => {
      await fixture.put([{ id: 'one' }]);
      await values();
      const { calls, stop } = watched();
      await fixture.put([{ id: 'two' }]);
      await waitFor(() => calls.count > 0, { what: 'the callback' });
      expect(await values()).toEqual([{ id: 'two' }]);
      stop();
    });

    test('calls its watcher after every further change', async () => {
      await values();
      const { calls, stop } = watched();
      for (const id of ['one', 'two', 'three']) {
        const before = calls.count;
        await fixture.put([{ id }]);
        await waitFor(() => calls.count > before, { what: `the callback for change ${id}` });
        expect(await values()).toEqual([{ id }]);
      }
      stop();
    });

    test('calls every watcher, except those that stopped', async () => {
      await values();
      const stopped = watched();
      const watching = watched();
      stopped.stop();
      await fixture.put([{ id: 'one' }]);
      await waitFor(() => watching.calls.count > 0, { what: 'the callback' });
      expect(stopped.calls.count).toBe(0);
      watching.stop();
    });

    test('throws with a message while it is unreadable, and recovers', async () => {
      const { spoil } = fixture;
      if (spoil === undefined) return;
      await spoil();
      const load = fixture.source.load();
      await expect(load).rejects.toBeInstanceOf(ClientSourceUnreadable);
      await expect(load).rejects.toThrow(/.+/);
      await fixture.put([{ id: 'one' }]);
      expect(await values()).toEqual([{ id: 'one' }]);
    });
  });
}

/** Replaces all clients of a store by these documents. A document without an id gets one. */
export function putClients(unitOfWork: UnitOfWork, store: ClientStore): ClientSourceFixture['put'] {
  const owner: ClientOwner = { source: 'commands', name: 'default' };
  return async (documents) => {
    const wanted = documents.map((document, at) => ({
      id: String(document.id ?? `nameless-${at}`),
      owner,
      document,
      secrets: [],
    }));
    const known = await store.all();
    await unitOfWork.run(async ({ clients }) => {
      for (const { id } of known)
        if (!wanted.some((client) => client.id === id)) await clients.delete(id, owner);
      for (const client of wanted) await clients.put(client);
    });
  };
}

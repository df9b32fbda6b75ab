import { describe, expect, test } from '@jest/globals';
import { newId } from '../../provider/lib/ids.ts';
import type { ClientTokenVersions } from '../../provider/ports/client-token-versions.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { useFixture } from './fixture.ts';

export interface ClientGenerationsFixture {
  store: ClientTokenVersions;
  /** A second one over the same data, with its own connections. */
  another?: ClientTokenVersions;
  /** Uses the same data. */
  unitOfWork: UnitOfWork;
  close(): Promise<void>;
}

/** Checks every sentence of `provider/ports/client-token-versions.ts` on what `open` gives. */
export function clientTokenVersionsContract(
  name: string,
  open: () => Promise<ClientGenerationsFixture>,
): void {
  describe(`${name} keeps the contract of ClientTokenVersions`, () => {
    const fixture = useFixture(open);

    const current = async (clientId: string, store = fixture().store) => (await store.all()).get(clientId);

    test('a client that was never revoked has no version; other clients have their own versions', async () => {
      const [one, other] = [newId('app'), `${newId('app')}@1 ü`];
      expect([await current(one), await current(other)]).toEqual([undefined, undefined]);
      expect([await fixture().store.raise(one), await fixture().store.raise(one)]).toEqual([1, 2]);
      expect(await fixture().store.raise(other)).toBe(1);
      const { another = fixture().store } = fixture();
      expect([await current(one, another), await current(other, another)]).toEqual([2, 1]);
    });

    test('12 parallel calls get different versions without gaps', async () => {
      const id = newId('app');
      const stores = [fixture().store, fixture().another ?? fixture().store];
      const given = await Promise.all(Array.from({ length: 12 }, (_, index) => stores[index % 2]?.raise(id)));
      const ascending = given.map(Number).sort((one, other) => one - other);
      expect(ascending).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
      expect(await current(id)).toBe(12);
    });

    test('a committed transaction raises the version, and a failed one does not', async () => {
      const id = newId('app');
      const run = fixture().unitOfWork.run(async ({ clientTokenVersions }) => {
        expect(await clientTokenVersions.raise(id)).toBe(1);
        throw new Error('changed its mind');
      });
      await expect(run).rejects.toThrow('changed its mind');
      expect(await current(id)).toBeUndefined();
      expect(await fixture().unitOfWork.run(({ clientTokenVersions }) => clientTokenVersions.raise(id))).toBe(
        1,
      );
      expect(await current(id)).toBe(1);
    });
  });
}

import { beforeEach, expect, test } from '@jest/globals';
import { clientKey } from '../../provider/ports/revocation-keys.ts';
import type { RevocationEntry } from '../../provider/ports/revocation-store.ts';
import type { UnitOfWork } from '../../provider/ports/unit-of-work.ts';
import { createClientRevocation } from '../../provider/revocation/client-revocation.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryRevocationStore } from '../support/memory/revocation-store.ts';
import { MemoryUnitOfWork } from '../support/memory/unit-of-work.ts';

const refreshTokenSeconds = 90 * 86_400;

let clock: ReturnType<typeof createManualClock>;
let denylist: MemoryRevocationStore;
let unitOfWork: UnitOfWork;
let cached: RevocationEntry[];
beforeEach(() => {
  clock = createManualClock();
  const database = new MemoryDatabase();
  denylist = new MemoryRevocationStore({ database, clock });
  unitOfWork = new MemoryUnitOfWork({ database, clock });
  cached = [];
});

const revokeClient = (clientId: string, through = unitOfWork) =>
  createClientRevocation({
    unitOfWork: through,
    clock,
    refreshTokenSeconds,
    denylist: {
      cacheEntries: async (keys, expiresAt) => void cached.push(...keys.map((key) => ({ key, expiresAt }))),
    },
  }).revoke(clientId);
const inForce = async () => (await denylist.inForce({ limit: 10 })).map(({ key }) => key);

test('a revoked client is one entry with its old token version, for the longest life of a refresh token', async () => {
  await revokeClient('web');
  expect(await inForce()).toEqual(['client:web@0']);
  clock.advance(refreshTokenSeconds * 1000);
  expect(await inForce()).toEqual(['client:web@0']);
  clock.advance(60_000);
  expect(await inForce()).toEqual([]);
});

test('each revocation ends tokens since the one before, and the entry is cached', async () => {
  for (const id of ['web', 'web', 'other']) await revokeClient(id);
  expect(await inForce()).toEqual(['client:other@0', 'client:web@0', 'client:web@1']);
  const expiresAt = clock.now() + (refreshTokenSeconds + 60) * 1000;
  expect(cached).toEqual(
    ['client:web@0', 'client:web@1', 'client:other@0'].map((key) => ({ key, expiresAt })),
  );
});

test('a failed revocation does not raise the token version and is not cached', async () => {
  const revoke = () => Promise.reject(new Error('unreachable'));
  const failing: UnitOfWork = {
    run: (work) => unitOfWork.run((stores) => work({ ...stores, denylist: { revoke } })),
  };
  await expect(revokeClient('web', failing)).rejects.toThrow('unreachable');
  expect([await inForce(), cached]).toEqual([[], []]);
  await revokeClient('web');
  expect(await inForce()).toEqual(['client:web@0']);
});

test('a token without a client token version is from before the first revocation of its client', () => {
  expect([clientKey('web'), clientKey('web', 0), clientKey('a@1', 2)]).toEqual([
    ...['client:web@0', 'client:web@0', 'client:a@1@2'],
  ]);
});

import { expect, test } from '@jest/globals';
import { ClientRefused } from '../../provider/clients/client-id-metadata.ts';
import { createRegisteredLookup, sha256 } from '../../provider/clients/registered-clients.ts';
import { defaultAccessModel } from '../../provider/config/access-model.ts';
import { knownClaims } from '../../provider/config/token-budget.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryDatabase } from '../support/memory/database.ts';
import { MemoryRegisteredClients } from '../support/memory/registered-clients.ts';

const day = 86_400_000;
const claims = knownClaims(defaultAccessModel('https://api.example.com'), 'https://login.example.com');
const id = 'registered_0123456789abcdefghijkl';
const metadata = { redirect_uris: ['https://app.example.com/'], token_endpoint_auth_method: 'none' };

async function world(scopes = ['openid']) {
  const clock = createManualClock(1_700_000_000_000);
  const store = new MemoryRegisteredClients({ database: new MemoryDatabase() });
  const [createdAt, expiresAt] = [clock.now(), clock.now() + day];
  const client = {
    id,
    metadata,
    secretSha256: sha256('right'),
    accessTokenSha256: 'x',
    createdAt,
    expiresAt,
  };
  await store.add(client, { most: 1, now: clock.now() });
  const reads: string[] = [];
  const watched = {
    find: (one: string, now: number) => {
      reads.push(one);
      return store.find(one, now);
    },
    keep: store.keep.bind(store),
  };
  const rules = { scopes, pkce: 'required' as const, apis: [], deviceFlow: false, claims };
  return { clock, store, reads, lookup: createRegisteredLookup({ store: watched, rules, clock }) };
}

test('a client is read from the store when it is named, and again after a second', async () => {
  const { clock, store, reads, lookup } = await world();
  expect(lookup.find(id)).toBeUndefined();
  expect((await lookup.lookup(id))?.id).toBe(id);
  await lookup.lookup(id);
  expect(reads).toEqual([id]);
  await store.remove(id);
  clock.advance(999);
  expect(await lookup.lookup(id)).toBeDefined();
  clock.advance(2);
  expect(await lookup.lookup(id)).toBeUndefined();
  expect(lookup.find(id)).toBeUndefined();
});

test('no other id causes a read', async () => {
  const { reads, lookup } = await world();
  for (const other of ['demo-web', 'https://apps.example.com/x', '']) {
    expect(await lookup.lookup(other)).toBeUndefined();
    expect(lookup.isAllowed(other)).toBe(false);
  }
  expect(reads).toEqual([]);
});

test('a registration that nobody used ends after a day; one that was used lives for 91 days from each use', async () => {
  const { clock, lookup } = await world();
  await lookup.lookup(id);
  clock.advance(day - 1);
  expect(await lookup.lookup(id)).toBeDefined();
  await lookup.used(id);
  clock.advance(80 * day);
  expect(await lookup.lookup(id)).toBeDefined();
  clock.advance(90 * day);
  expect(await lookup.lookup(id)).toBeDefined();
  clock.advance(91 * day + 1);
  expect(await lookup.lookup(id)).toBeUndefined();
});

test('only its secret matches, and none before it was looked up', async () => {
  const { lookup } = await world();
  expect(lookup.secretMatches(id, 'right')).toBe(false);
  await lookup.lookup(id);
  expect([lookup.secretMatches(id, 'right'), lookup.secretMatches(id, 'wrong')]).toEqual([true, false]);
});

test('a client whose metadata the settings do not allow any more is refused with the reason', async () => {
  const { lookup } = await world(['offline_access']);
  const refused = lookup.lookup(id);
  await expect(refused).rejects.toThrow(ClientRefused);
  await expect(refused).rejects.toThrow('scope has nothing');
});

import { expect, test } from '@jest/globals';
import { parseKeySet, serializeKeySet } from '../../provider/keys/key-set.ts';
import { ensureKeySet } from '../../provider/keys/rotation.ts';
import { rotateWhenDue } from '../../provider/keys/scheduled-rotation.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { MemoryKeyStore } from '../support/memory/key-store.ts';

const day = 86_400_000;
const times = { tokenSeconds: 900, leadSeconds: 10_800, keptSeconds: 30 * 86_400 };

async function createWorld() {
  const deps = { store: new MemoryKeyStore(), clock: createManualClock(), times };
  await ensureKeySet(deps);
  const keys = async () => parseKeySet((await deps.store.load())?.value ?? '').keys;
  return { ...deps, keys, check: () => rotateWhenDue(deps, 90) };
}

test('adds a key when the newest one has the age, and not a moment before', async () => {
  const { clock, keys, check } = await createWorld();
  clock.advance(90 * day - 1);
  expect(await check()).toEqual({ outcome: 'not_due' });
  expect(await keys()).toHaveLength(1);
  clock.advance(1);
  const signsFrom = clock.now() + times.leadSeconds * 1000;
  expect(await check()).toMatchObject({ outcome: 'rotated', signsFrom });
  expect(await keys()).toHaveLength(2);
  expect(await check()).toEqual({ outcome: 'not_due' });
});

test('adds one key in ten parallel checks', async () => {
  const { clock, keys, check } = await createWorld();
  clock.advance(91 * day);
  const outcomes = await Promise.all(Array.from({ length: 10 }, check));
  expect(outcomes.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1);
  expect(await keys()).toHaveLength(2);
});

test('makes no key in this process when the newest one is in KMS', async () => {
  const { store, clock, keys, check } = await createWorld();
  const stored = await store.load();
  const [first] = await keys();
  const { n = '', e = '' } = (first?.privateJwk ?? {}) as { n?: string; e?: string };
  const kms = { arn: 'arn:aws:kms:eu-central-1:111122223333:key/0', n, e };
  const { privateJwk: _, ...rest } = first ?? {};
  await store.save(serializeKeySet({ keys: [{ ...rest, kms }] } as never), stored?.version);
  clock.advance(91 * day);
  expect(await check()).toEqual({ outcome: 'in_kms' });
  expect(await keys()).toHaveLength(1);
});

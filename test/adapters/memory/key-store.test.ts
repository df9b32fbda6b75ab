import { expect, test } from '@jest/globals';
import { MemoryKeyStore } from '../../support/memory/key-store.ts';

test('only the first save with a given version succeeds', async () => {
  const store = new MemoryKeyStore();
  expect(await store.load()).toBeUndefined();
  expect(await store.save('early', 'unknown')).toBe(false);
  const first = await Promise.all(Array.from({ length: 20 }, (_, n) => store.save(`first ${n}`, undefined)));
  expect(first.filter(Boolean)).toHaveLength(1);
  const stored = await store.load();
  expect(stored?.value).toBe(`first ${first.indexOf(true)}`);
  expect(await store.save('second', stored?.version)).toBe(true);
  expect(await store.save('third', stored?.version)).toBe(false);
  expect((await store.load())?.value).toBe('second');
});

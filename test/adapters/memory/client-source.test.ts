import { expect, test } from '@jest/globals';
import { ClientSourceUnreadable } from '../../../provider/ports/client-source.ts';
import { MemoryClientSource } from '../../support/memory/client-source.ts';

test('gives its documents, each with its origin', async () => {
  const source = new MemoryClientSource({ name: 'demo', values: [{ id: 'a' }, 'nonsense'] });
  expect(await source.load()).toEqual([
    { origin: 'demo[0]', value: { id: 'a' } },
    { origin: 'demo[1]', value: 'nonsense' },
  ]);
});

test('reports every change to its watchers until they stop', async () => {
  const source = new MemoryClientSource();
  const told: string[] = [];
  const stop = source.watch(() => told.push('first'));
  source.watch(() => told.push('second'));
  source.replace([{ id: 'b' }]);
  stop();
  source.spoil('not there');
  expect(told).toEqual(['first', 'second', 'second']);
});

test('is unreadable after `spoil`, and readable after a replacement', async () => {
  const source = new MemoryClientSource({ values: [{ id: 'a' }] });
  source.spoil('not YAML in line 3');
  await expect(source.load()).rejects.toThrow(new ClientSourceUnreadable('memory: not YAML in line 3'));
  source.replace([]);
  expect(await source.load()).toEqual([]);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Threads, yieldToRequests } from '../../provider/bin/background-threads.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-threads-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The threads of a process as Linux shows them: the name and the CPU time of each. */
function show(names: Record<number, string>, ranMs: Record<number, number> = {}): void {
  for (const [id, name] of Object.entries(names)) {
    mkdirSync(join(folder, id), { recursive: true });
    writeFileSync(join(folder, id, 'comm'), `${name}\n`);
    writeFileSync(join(folder, id, 'schedstat'), `${(ranMs[Number(id)] ?? 0) * 1e6} 0 1\n`);
  }
}

function watched(changes: Partial<Threads> = {}) {
  const lowered: number[][] = [];
  const setPriority = (id: number, niceness: number) => void lowered.push([id, niceness]);
  const threads = { folder, main: 7, setPriority, work: async () => {}, ...changes };
  return { threads, lowered };
}

test('threads with a background name get a low priority, and no other thread does', async () => {
  show({ 7: 'MainThread', 8: 'V8Worker', 9: 'libuv-worker', 10: 'libuv-worker' });
  const { threads, lowered } = watched();
  expect(await yieldToRequests(threads)).toBe(2);
  expect(lowered.sort()).toEqual([
    [10, 10],
    [9, 10],
  ]);
});

test('without names, the threads that used CPU time get a low priority', async () => {
  const all = { 7: 'node', 8: 'node', 9: 'node', 10: 'node' };
  show(all, { 7: 90, 8: 90, 9: 3, 10: 3 });
  const work = async () => {
    await pause(1);
    show(all, { 7: 900, 8: 90, 9: 5000, 10: 5000 });
  };
  const { threads, lowered } = watched({ work });
  expect(await yieldToRequests(threads)).toBe(2);
  expect(lowered.map(([id]) => id).sort()).toEqual([10, 9]);
});

test('nothing happens if threads are hidden or may not be changed', async () => {
  expect(await yieldToRequests(watched({ folder: join(folder, 'nowhere') }).threads)).toBe(0);
  show({ 9: 'libuv-worker' });
  const forbidden = () => {
    throw new Error('EPERM');
  };
  expect(await yieldToRequests(watched({ setPriority: forbidden }).threads)).toBe(0);
});

import { pbkdf2 } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** With this niceness, the thread that answers requests gets nine tenths of a busy core. */
const niceness = 10;

/** libuv's default; UV_THREADPOOL_SIZE changes it. */
const threadsOfPool = 4;

/** On a busy machine, one thread may do the work of several, so the search is repeated up to this number of rounds. */
const mostRounds = 4;

export interface Threads {
  /** A folder that contains one folder for each thread, as Linux provides it. */
  folder: string;
  /** The thread that answers requests. */
  main: number;
  setPriority(id: number, niceness: number): void;
  /** Work that keeps one of libuv's threads busy for some milliseconds. */
  work(): Promise<unknown>;
}

const ours: Threads = {
  folder: '/proc/self/task',
  main: process.pid,
  setPriority,
  work: () => promisify(pbkdf2)('work', 'salt', 30_000, 32, 'sha256'),
};

/**
 * Lowers the priority of libuv's threads, which hash passwords. Then many simultaneous sign-ins slow down sign-ins, but
 * hardly other requests (`docs/speed.md`). Works on Linux only; elsewhere it does nothing.
 *
 * @returns the number of threads found
 */
export async function yieldToRequests(threads: Threads = ours): Promise<number> {
  try {
    const named = withName(threads.folder, 'libuv-worker');
    const found = named.length > 0 ? named : await busiest(threads);
    for (const id of found) threads.setPriority(id, niceness);
    return found.length;
  } catch {
    // A sandbox may hide threads or forbid the change. Gatehouse works without it.
    return 0;
  }
}

const ids = (folder: string) => readdirSync(folder).map(Number);

/** Gives the threads with this name. Node names its threads since version 22.14. */
function withName(folder: string, name: string): number[] {
  return ids(folder).filter((id) => readFileSync(join(folder, String(id), 'comm'), 'utf8').trim() === name);
}

/**
 * Finds the threads that do the work. If it also finds another thread, for example one of the garbage collector, this
 * does no harm.
 */
async function busiest({ folder, main, work }: Threads): Promise<number[]> {
  const before = new Map(ids(folder).map((id) => [id, busyMs(folder, id)]));
  let found: number[] = [];
  for (let round = 0; round < mostRounds && found.length < threadsOfPool; round += 1) {
    await Promise.all(Array.from({ length: 2 * threadsOfPool }, work));
    const grown = ids(folder)
      .filter((id) => id !== main)
      .map((id) => ({ id, ms: busyMs(folder, id) - (before.get(id) ?? 0) }));
    const most = Math.max(...grown.map(({ ms }) => ms));
    found = grown.filter(({ ms }) => ms > most / 3).map(({ id }) => id);
  }
  return found;
}

/** How long a thread has run. */
function busyMs(folder: string, id: number): number {
  const [nanoseconds] = readFileSync(join(folder, String(id), 'schedstat'), 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

import { pbkdf2 } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Nine tenths of a busy core are for who answers requests, and that one needn't wait for its turn. */
const niceness = 10;

/** Unless the environment says otherwise. */
const threadsOfPool = 4;

/** On a busy machine one thread may do another's work. */
const mostRounds = 4;

export interface Threads {
  /** A folder with one for each thread, as Linux shows them. */
  folder: string;
  /** The thread that answers requests. */
  main: number;
  setPriority(id: number, niceness: number): void;
  /** Something that keeps one of libuv's threads busy for some milliseconds. */
  work(): Promise<unknown>;
}

const ours: Threads = {
  folder: '/proc/self/task',
  main: process.pid,
  setPriority,
  work: () => promisify(pbkdf2)('work', 'salt', 30_000, 32, 'sha256'),
};

/**
 * Lets libuv's threads, on which passwords are hashed, have the time that nothing else wants: a flood of sign-ins then slows
 * sign-ins down, and little else (`docs/speed.md`). Needs Linux; elsewhere nothing happens.
 *
 * @returns how many threads it was
 */
export async function yieldToRequests(threads: Threads = ours): Promise<number> {
  try {
    const named = withName(threads.folder, 'libuv-worker');
    const found = named.length > 0 ? named : await busiest(threads);
    for (const id of found) threads.setPriority(id, niceness);
    return found.length;
  } catch {
    // A sandbox may hide threads, or forbid it. All works without, only less evenly.
    return 0;
  }
}

const ids = (folder: string) => readdirSync(folder).map(Number);

/** Node names its threads from 22.14 on. */
function withName(folder: string, name: string): number[] {
  return ids(folder).filter((id) => readFileSync(join(folder, String(id), 'comm'), 'utf8').trim() === name);
}

/** Those that work is done on. One too many, of the collector of garbage say, does no harm. */
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

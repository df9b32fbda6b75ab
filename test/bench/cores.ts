import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { findProgram } from '../support/servers/programs.ts';

/** The core of the server, and the core of the load and the stores. */
export interface Cores {
  /** Pins a process with all its threads to the core of the server. */
  pinServer(pid: number): void;
  /** Pins this process, and all processes that it starts later, to the other core. */
  pinLoad(): void;
  /** The text for the report. */
  description: string;
}

/** Requires Linux, `taskset` and two cores. Otherwise nothing is pinned, and the report says so. */
export function chooseCores(): Cores {
  const [serving, asking] = process.platform === 'linux' ? usableCores() : [];
  const taskset = findProgram(['taskset']);
  if (taskset === undefined || serving === undefined || asking === undefined)
    return {
      pinServer: () => {},
      pinLoad: () => {},
      description: `nothing pinned, ${availableParallelism()} cores`,
    };
  const pin = (core: number, pid: number) =>
    execFileSync(taskset, ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' });
  return {
    pinServer: (pid) => pin(serving, pid),
    pinLoad: () => pin(asking, process.pid),
    description: 'server pinned to one core; load, Postgres and Redis to another',
  };
}

/** The cores that this process may use. */
function usableCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(?<list>\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return (list?.groups?.list ?? '').split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/**
 * CPU time of all threads of a process, user and system, in seconds. Undefined if the system doesn't report it. It is
 * read from `schedstat`, which counts nanoseconds: a tick of `stat` is a twentieth of a short round.
 */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const used = threads.map((thread) => Number(readProc(pid, `task/${thread}/schedstat`)?.split(' ')[0]));
    const sum = used.reduce((all, nanoseconds) => all + nanoseconds, 0);
    return Number.isNaN(sum) ? undefined : sum / 1e9;
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in MiB. Undefined if the system doesn't report it. */
export function residentMib(pid: number): number | undefined {
  const kib = /^VmRSS:\s*(?<kib>\d+)/m.exec(readProc(pid, 'status') ?? '')?.groups?.kib;
  return kib === undefined ? undefined : Number(kib) / 1024;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

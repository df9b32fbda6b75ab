import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { findProgram } from '../support/servers/programs.ts';

/** Which core serves, and which asks and stores. */
export interface Cores {
  /** Pins a process, all its threads, to the core that serves. */
  pinServer(pid: number): void;
  /** Pins this process, and so all it starts from now on, to the other core. */
  pinLoad(): void;
  /** For the report. */
  description: string;
}

/** Needs Linux, `taskset` and two cores; else nothing is pinned, and the report says so. */
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

/** Those this process may run on. */
function usableCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(?<list>\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return (list?.groups?.list ?? '').split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** Clock ticks a second in `/proc`, which Linux fixes for programs. */
const ticksPerSecond = 100;

/** CPU time that a process has used, all threads, user and system, in seconds; undefined where it isn't told. */
export function cpuSeconds(pid: number): number | undefined {
  const text = readProc(pid, 'stat');
  if (text === undefined) return undefined;
  // The name, in parentheses, may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Memory that a process holds, in MiB; undefined where it isn't told. */
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

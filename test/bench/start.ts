import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/free-port.ts';
import { runProgram } from '../support/program.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Cores, residentMib } from './cores.ts';
import { median } from './statistics.ts';
import type { World } from './world.ts';

/** How a process starts and rests. Each list has one value for each start. */
export interface Starts {
  /** From the start of the process to its first answer, in milliseconds. */
  firstAnswerMs: number[];
  /** Resident memory after the process was idle for `restSeconds`, in MiB. */
  residentMib: number[];
}

export const restSeconds = 10;
/** The median of this number of starts counts. */
const starts = 7;

/** Starts `gatehouse serve` several times beside the other processes of the world, one after the other. */
export async function measureStarts({ deployment }: World, cores: Cores): Promise<Starts> {
  const measured: Starts = { firstAnswerMs: [], residentMib: [] };
  for (let start = 0; start < starts; start += 1) {
    const { folder: cwd, env } = deployment;
    const [port, opsPort] = [await freePort(), await freePort()];
    const ports = { GATEHOUSE_PORT: String(port), GATEHOUSE_OPS_PORT: String(opsPort) };
    const begun = performance.now();
    const program = runProgram(['serve'], { env: { ...env, ...ports }, cwd });
    cores.pinServer(program.pid);
    try {
      const url = `http://127.0.0.1:${port}/.well-known/openid-configuration`;
      const isAnswered = async () => program.hasEnded() || (await fetch(url)).ok;
      await waitFor(isAnswered, { timeoutMs: 30_000, intervalMs: 3, what: 'the first answer' });
      if (program.hasEnded()) throw new Error(`gatehouse ended at the start:\n${program.output()}`);
      measured.firstAnswerMs.push(performance.now() - begun);
      await pause(restSeconds * 1000);
      measured.residentMib.push(residentMib(program.pid) ?? Number.NaN);
    } finally {
      program.kill('SIGTERM');
      await program.ended;
    }
  }
  return measured;
}

/** The aims, in MB (not MiB). */
const aims = { milliseconds: 600, megabytes: 120 };

/** The rows of the report: what was measured, the median, the smallest and the largest value, and the aim. */
export function startRows({ firstAnswerMs, residentMib }: Starts): string[][] {
  const megabytes = residentMib.map((mib) => (mib * 1024 * 1024) / 1e6);
  const row = (what: string, values: number[], unit: string, aim: number) => [
    ...[what, `${Math.round(median(values))} ${unit}`],
    ...[Math.min(...values), Math.max(...values)].map((value) => `${Math.round(value)} ${unit}`),
    `${aim} ${unit}`,
  ];
  return [
    row('from the start of `serve` to its first answer', firstAnswerMs, 'ms', aims.milliseconds),
    row(`resident memory of \`serve\` after ${restSeconds} s at rest`, megabytes, 'MB', aims.megabytes),
  ];
}

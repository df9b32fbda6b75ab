import { freePort } from './free-port.ts';
import { type Program, runProgram } from './program.ts';
import { waitFor } from './wait-for.ts';

export interface WorkerOptions {
  /** The settings of the servers that the worker does not get. It never gets Redis. */
  without: readonly string[];
  /** Gets the process at once, so that it can be ended also when it is never ready. */
  workers: Program[];
}

/** Starts `gatehouse worker` beside servers, and waits until it is ready or has ended. */
export async function startWorker(
  { env: servers, folder: cwd }: { env: Record<string, string>; folder: string },
  { without, workers }: WorkerOptions,
): Promise<Program> {
  const ops = await freePort();
  const settings = Object.entries(servers).filter(([name]) => !without.includes(name));
  const env = {
    ...Object.fromEntries(settings),
    GATEHOUSE_REDIS_URL: '',
    GATEHOUSE_OPS_PORT: String(ops),
  };
  const worker = runProgram(['worker'], { env, cwd });
  workers.push(worker);
  await waitFor(async () => worker.hasEnded() || (await fetch(`http://127.0.0.1:${ops}/readyz`)).ok, {
    timeoutMs: 60_000,
    what: 'the worker',
  });
  return worker;
}

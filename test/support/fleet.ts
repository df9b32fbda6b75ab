import { freePort } from './free-port.ts';
import { type Program, runProgram } from './program.ts';
import { waitFor } from './wait-for.ts';

export interface FleetOptions {
  command: 'serve' | 'dev';
  /** The settings that all processes share. The fleet adds the ports. */
  env: Record<string, string>;
  /** The working directory of each process. */
  folder: string;
  /** The default is one process. */
  processes?: number;
  /** The public port of the first process. The default is any free port. */
  port?: number;
  /** The folder of another compiled release. */
  build?: string | undefined;
}

/** Gatehouse processes with the same settings. Each keeps its ports when it is started again. */
export interface Fleet {
  /** The public address of each process. */
  origins: string[];
  opsOrigins: string[];
  /** The processes that run now. `restart` replaces entries of this array. */
  programs: Program[];
  /** Every process since the start, including those that ended. */
  started: readonly Program[];
  /** Ends one process with this signal if it still runs, and starts it again. Resolves when it is ready. */
  restart(index: number, signal?: NodeJS.Signals): Promise<void>;
  allReady(): Promise<void>;
  /** Ends all processes. */
  stop(): Promise<void>;
}

/** Starts the processes. Resolves when all are ready; otherwise ends them and throws with their output. */
export async function startFleet({
  command,
  env,
  folder,
  processes = 1,
  port,
  build,
}: FleetOptions): Promise<Fleet> {
  const ports: { own: number; ops: number }[] = [];
  for (let index = 0; index < processes; index += 1) {
    const own = index === 0 && port !== undefined ? port : await freePort();
    ports.push({ own, ops: await freePort() });
  }
  const started: Program[] = [];
  const run = ({ own, ops }: (typeof ports)[number]) => {
    const settings = { ...env, GATEHOUSE_PORT: String(own), GATEHOUSE_OPS_PORT: String(ops) };
    const program = runProgram([command], { env: settings, cwd: folder, build });
    started.push(program);
    return program;
  };
  const programs = ports.map(run);
  const opsOrigins = ports.map(({ ops }) => `http://127.0.0.1:${ops}`);
  const fleet: Fleet = {
    origins: ports.map(({ own }) => `http://127.0.0.1:${own}`),
    opsOrigins,
    programs,
    started,
    restart: async (index, signal = 'SIGTERM') => {
      const [program, own, opsOrigin] = [programs[index], ports[index], opsOrigins[index]];
      if (!program || !own || !opsOrigin) throw new Error(`there is no process ${index}`);
      await end(program, signal);
      programs[index] = run(own);
      await untilReady(programs[index], opsOrigin);
    },
    allReady: async () => {
      await Promise.all(programs.map((program, index) => untilReady(program, opsOrigins[index] ?? '')));
    },
    stop: async () => {
      await Promise.all(programs.map((program) => end(program, 'SIGTERM')));
    },
  };
  await fleet.allReady().catch(async (error) => {
    await fleet.stop();
    throw error;
  });
  return fleet;
}

/** Whether the process says that it is ready. Throws if it can't be reached. */
export async function isReady(opsOrigin: string | undefined): Promise<boolean> {
  const answer = await fetch(`${opsOrigin}/readyz`);
  await answer.arrayBuffer();
  return answer.ok;
}

async function end(program: Program, signal: NodeJS.Signals): Promise<void> {
  if (!program.hasEnded()) program.kill(signal);
  await program.ended;
}

async function untilReady(program: Program, opsOrigin: string): Promise<void> {
  await waitFor(() => program.hasEnded() || isReady(opsOrigin), {
    timeoutMs: 100_000,
    what: 'gatehouse to be ready',
  }).catch((error) => {
    throw new Error(`${error.message} It wrote:\n${program.output()}`);
  });
  if (program.hasEnded()) throw new Error(`gatehouse ended before it was ready:\n${program.output()}`);
}

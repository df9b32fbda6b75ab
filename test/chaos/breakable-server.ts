import { chownSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRelay } from '../adapters/redis/relay.ts';
import { freePort } from '../support/free-port.ts';
import {
  type KeptProcess,
  type Owner,
  serverFolder,
  serverOwner,
  startKept,
} from '../support/servers/kept-process.ts';
import { waitFor } from '../support/wait-for.ts';

/** A server that only this run uses. The run kills it, cuts its connections and starts it again. Its address never changes. */
export interface BreakableServer {
  /** The port of the relay. */
  port: number;
  directPort: number;
  /** Ends the server at once, like a crash. */
  kill(): Promise<void>;
  /** Starts the server again with its stored data, or without data. */
  restart(options?: { withoutData?: boolean }): Promise<void>;
  /** Ends all connections and refuses new ones until `mend`. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  stop(): Promise<void>;
}

export interface BreakableRecipe {
  name: string;
  /** The command that starts the server on the given folder, which may be empty. */
  command(data: string, port: number): { program: string; args: string[] };
  /** Ends the process `$server` at once. */
  killCommand: string;
  ready(port: number): Promise<unknown>;
}

export async function startBreakable(recipe: BreakableRecipe): Promise<BreakableServer> {
  const owner = serverOwner();
  const folder = await mkdtemp(join(tmpdir(), `gatehouse-chaos-${recipe.name}-`));
  const data = join(folder, 'data');
  own(folder, owner);
  const port = await freePort();
  let process = await start(recipe, owner, data, port);
  const relay = await openRelay(port);
  return {
    port: relay.port,
    directPort: port,
    kill: async () => {
      await process.stop();
    },
    restart: async ({ withoutData = false } = {}) => {
      if (withoutData) await rm(data, { recursive: true, force: true });
      process = await start(recipe, owner, data, port);
    },
    cut: relay.cut,
    mend: () => relay.mend(port),
    stop: async () => {
      await process.stop();
      await relay.cut();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(
  recipe: BreakableRecipe,
  owner: Owner,
  data: string,
  port: number,
): Promise<KeptProcess> {
  await mkdir(data, { recursive: true, mode: 0o700 });
  own(data, owner);
  // The folder of the server process is removed when it ends. The data is in another folder and remains.
  const folder = serverFolder(`chaos-${recipe.name}-log`, owner);
  const command = recipe.command(data, port);
  const kept = startKept({ ...command, folder, owner, stopCommand: recipe.killCommand });
  await waitFor(async () => kept.ended() || recipe.ready(port).then(() => true), {
    timeoutMs: 60_000,
    intervalMs: 20,
    what: recipe.name,
  });
  if (kept.ended()) throw new Error(`${recipe.name} ended while it started: ${kept.output()}`);
  return kept;
}

function own(folder: string, { uid, gid }: Owner): void {
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
}

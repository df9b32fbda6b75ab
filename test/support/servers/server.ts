import { freePort } from '../free-port.ts';
import { waitFor } from '../wait-for.ts';
import type { KeptProcess } from './kept-process.ts';
import type { Resume } from './stall.ts';

/** A server on 127.0.0.1 that the tests started. */
export interface TestServer {
  url: string;
  /** Stops the server and removes its data. Resolves when both are done. */
  stop(): Promise<void>;
  /** Stalls the server: it neither answers nor closes connections until the stall ends. */
  stall(): Promise<Resume>;
}

export interface ServerRecipe {
  name: string;
  /** The highest port that the server can use. */
  highestPort?: number;
  start(port: number): KeptProcess | Promise<KeptProcess>;
  url(port: number): string;
  /** Rejects until the server can be used. */
  ready(url: string): Promise<void>;
  /** Stalls the processes whose ids the server reports. This only works for a server on this machine. */
  stall(url: string): Promise<Resume>;
}

/** Starts a server on a free port and waits until it is usable. If another process took the port, it tries again. */
export async function startServer(recipe: ServerRecipe): Promise<TestServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await portUpTo(recipe.highestPort ?? 65_535);
    const kept = await recipe.start(port);
    const url = recipe.url(port);
    try {
      await untilReady(recipe, url, kept);
      const stall = kept.stall ?? (() => recipe.stall(url));
      return { url, stop: kept.stop, stall };
    } catch (error) {
      const output = kept.output();
      await kept.stop();
      if (attempt === 3) throw new Error(`${recipe.name} didn't start: ${output}`, { cause: error });
    }
  }
}

/** Waits until the server answers or ends, at most 60 s. This includes the download of a container image. */
async function untilReady(recipe: ServerRecipe, url: string, kept: KeptProcess): Promise<void> {
  const look = async () => kept.ended() || (await recipe.ready(url).then(() => true));
  await waitFor(look, { timeoutMs: 60_000, intervalMs: 30, what: recipe.name });
  if (kept.ended()) throw new Error(`${recipe.name} ended while it started`);
}

async function portUpTo(highest: number): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port <= highest) return port;
  }
}

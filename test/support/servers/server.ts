import { freePort } from '../free-port.ts';
import { waitFor } from '../wait-for.ts';
import type { KeptProcess } from './kept-process.ts';
import type { Resume } from './stall.ts';

/** A server for tests on 127.0.0.1, started by us. */
export interface TestServer {
  url: string;
  /** Stops it and removes its data; resolves when both is done. */
  stop(): Promise<void>;
  /** Stalls it: it neither answers nor closes anything until the stall is ended. */
  stall(): Promise<Resume>;
}

export interface ServerRecipe {
  name: string;
  /** Highest port it can use. */
  highestPort?: number;
  start(port: number): KeptProcess | Promise<KeptProcess>;
  url(port: number): string;
  /** Rejects until the server can be used. */
  ready(url: string): Promise<void>;
  /** Stalls its processes, whose ids it tells itself: good for a server on this machine only. */
  stall(url: string): Promise<Resume>;
}

/** Starts a server on a free port and waits until it can be used. A port that was lost to somebody else is tried again. */
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

/** Waits until the server answers, or ends, or 60 s are over (a container's image has to be there by then). */
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

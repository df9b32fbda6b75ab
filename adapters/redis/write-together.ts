import { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

/**
 * Gives a function that the caller must call before it passes commands to the client. All commands until the end of the
 * current turn of the event loop are then sent in one write, also commands of other callers. A separate write costs
 * more than all other work for a command (`docs/speed.md`). Replies and errors are not affected.
 *
 * On a cluster the function does nothing, because each node has its own connection.
 */
export function createWriteTogether(client: RedisClient): () => void {
  if (!(client instanceof Redis)) return () => {};
  let held: Redis['stream'] | undefined;
  return () => {
    const { stream } = client;
    // A new connection has a new stream.
    if (held === stream) return;
    held = stream;
    stream.cork();
    setImmediate(() => {
      stream.uncork();
      if (held === stream) held = undefined;
    });
  };
}

import { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

/**
 * Gives a function to call before commands are given to the client: all that is written until the event loop has gone round
 * leaves in one piece, whoever wrote it. Each write by itself costs more than all else there is to a command
 * (`docs/speed.md`). Which reply belongs to whom, and what fails, stays as it is. On a cluster it does nothing: there each node
 * has a connection of its own.
 */
export function createWriteTogether(client: RedisClient): () => void {
  if (!(client instanceof Redis)) return () => {};
  let held: Redis['stream'] | undefined;
  return () => {
    const { stream } = client;
    // A connection that was made anew has a stream of its own.
    if (held === stream) return;
    held = stream;
    stream.cork();
    setImmediate(() => {
      stream.uncork();
      if (held === stream) held = undefined;
    });
  };
}

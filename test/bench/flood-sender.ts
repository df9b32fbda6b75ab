import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Connection, openConnection, postJson } from './connection.ts';

/** Runs as a separate process, so that it doesn't delay the measurements. Sends until it gets a message to stop, then reports. */
const [port, perSecond] = process.argv.slice(2).map(Number) as [number, number];

export interface Sent {
  sentPerSecond: number;
  answers: Record<string, number>;
}

/** The number of tries in progress. It is larger than the queue of the server. */
const mostConnections = 600;
const free: Connection[] = Array.from({ length: mostConnections }, () => openConnection(port));
const answers: Record<string, number> = {};
const underWay = new Set<Promise<void>>();
const startedAt = performance.now();
let sent = 0;
let skipped = 0;

async function tryOnce(connection: Connection): Promise<void> {
  const email = `${randomBytes(6).toString('hex')}@example.com`;
  const answer = await connection
    .send(postJson('/auth/login', { email, password: 'a guess' }))
    .catch(() => undefined);
  const status = String(answer?.status ?? 'no answer');
  answers[status] = (answers[status] ?? 0) + 1;
  free.push(connection);
}

const timer = setInterval(() => {
  const due = (performance.now() - startedAt) * (perSecond / 1000);
  while (sent + skipped < due) {
    const connection = free.pop();
    if (connection === undefined) {
      skipped += 1;
      continue;
    }
    sent += 1;
    const one = tryOnce(connection).finally(() => underWay.delete(one));
    underWay.add(one);
  }
}, 2);

await once(process, 'message');
clearInterval(timer);
const tookSeconds = (performance.now() - startedAt) / 1000;
await Promise.all(underWay);
for (const connection of free) connection.close();
process.send?.({ sentPerSecond: sent / tookSeconds, answers } satisfies Sent);
process.disconnect();

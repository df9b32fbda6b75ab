import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';
import { createAsker, type Operations } from './costed-operations.ts';
import { costs } from './costs.ts';
import { startOnWires, type Wired } from './wired-deployment.ts';

let wired: Wired;
let operations: Operations;
beforeAll(async () => {
  wired = await startOnWires();
  operations = await createAsker(wired.deployment);
}, 120_000);
afterAll(() => wired?.stop());

/** The round trips, hashes and signatures of one operation. */
async function cost(once: () => Promise<string>) {
  const quiet = () => waitFor(() => performance.now() - wired.lastAskedAt() > 40, { what: 'quiet wires' });
  const made = await work();
  await quiet();
  const before = wired.asked().length;
  await once();
  await quiet();
  const asked = wired.asked().slice(before);
  const now = await work();
  return { asked, hashes: now.hashes - made.hashes, signatures: now.signatures - made.signatures };
}

/** The number of hashes and signatures since the start of the process. */
async function work(): Promise<{ hashes: number; signatures: number }> {
  const metrics = await (await fetch(`${wired.deployment.opsOrigins[0]}/metrics`)).text();
  const count = (pattern: RegExp) => Number(pattern.exec(metrics)?.groups?.count);
  return {
    hashes: count(/^gatehouse_hashing_wait_seconds_count (?<count>\d+)/m),
    signatures: count(/^gatehouse_signatures_total\{.*\} (?<count>\d+)/m),
  };
}

/** The most frequent result, because background work may add to single results. */
function mostFrequent<T>(values: readonly T[]): T | undefined {
  const texts = values.map((value) => JSON.stringify(value));
  const often = (text: string) => texts.filter((other) => other === text).length;
  const [most] = texts.sort((one, other) => often(other) - often(one));
  return most === undefined ? undefined : JSON.parse(most);
}

describe('the round trips of each operation are as documented', () => {
  test.each(costs)('$operation', async ({ operation, asks, hashes, signatures }) => {
    // After this call Redis has the scripts, and connections are open.
    await operations[operation]();
    const seen: Awaited<ReturnType<typeof cost>>[] = [];
    for (let round = 0; round < 5; round += 1) seen.push(await cost(operations[operation]));
    expect(mostFrequent(seen)).toEqual({ asked: asks, hashes, signatures });
  });

  test('docs/speed.md shows them', () => {
    const page = readFileSync('docs/speed.md', 'utf8');
    for (const { operation, asks, hashes, signatures } of costs) {
      const of = (store: string) => asks.filter((one) => one.startsWith(store)).length;
      const order = asks.map((one) => `\`${one}\``).join(', ') || 'none';
      const counts = [signatures, hashes, of('redis'), of('postgres')];
      expect(page).toContain(`| ${operation} | ${counts.join(' | ')} | ${order} |`);
    }
  });
});

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createCaller } from './caller.ts';
import { type FaultKind, Ledger } from './ledger.ts';

/** Returns a ledger with one past fault. Its start and end are given in milliseconds before now. */
function broken(kind: FaultKind, fromAgo: number, toAgo: number): Ledger {
  const ledger = new Ledger();
  ledger.faults.push({ kind, from: Date.now() - fromAgo, to: Date.now() - toAgo });
  return ledger;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Sends one request to a server with the given answer. Returns the violations. */
async function heldAgainst(ledger: Ledger, answer: (response: ServerResponse) => void): Promise<string[]> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const origins = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  await createCaller({ origins, ledger, isOver: () => true, hungMs: 1_000 })('profile', '/user/profile', {});
  return ledger.violations;
}

const later = (response: ServerResponse) => void response.writeHead(503, { 'retry-after': '1' }).end('{}');

describe('a 503 is excused', () => {
  test('while a needed store is away, or has just come back', async () => {
    const since = broken('postgres was cut off', 1_000, Number.NEGATIVE_INFINITY);
    expect(await heldAgainst(since, later)).toEqual([]);
    expect(await heldAgainst(broken('postgres restarted', 1_000, 0), later)).toEqual([]);
  });

  test('only while a needed store is away', async () => {
    const other = broken('redis was cut off', 1_000, Number.NEGATIVE_INFINITY);
    const past = broken('postgres restarted', 60_000, 1_600);
    for (const ledger of [new Ledger(), other, past])
      expect(await heldAgainst(ledger, later)).toEqual([expect.stringContaining('no store was away')]);
  });

  test('only with Retry-After; a 500 is never excused', async () => {
    const away = () => broken('postgres was cut off', 1_000, Number.NEGATIVE_INFINITY);
    expect(await heldAgainst(away(), (response) => void response.writeHead(503).end())).toHaveLength(1);
    expect(await heldAgainst(away(), (response) => void response.writeHead(500).end())).toHaveLength(1);
  });
});

test('a request without an answer is a violation, whatever is broken', async () => {
  const ledger = broken('postgres was cut off', 1_000, Number.NEGATIVE_INFINITY);
  expect(await heldAgainst(ledger, () => {})).toEqual([expect.stringContaining('no answer')]);
  expect(ledger.counts.get('profile hung')).toBe(1);
});

test('lost data excuses answers from before the restart of Redis, and no later ones', () => {
  const ledger = broken('redis lost its data', 3_000, 1_000);
  const since = (ago: number) => ledger.wasLost(Date.now() - ago);
  expect([since(10_000), since(2_000), since(500)]).toEqual([true, true, false]);
  expect(broken('redis restarted', 3_000, 1_000).wasLost(Date.now() - 10_000)).toBe(false);
});

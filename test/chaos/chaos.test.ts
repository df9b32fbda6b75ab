import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { reportOf } from './report.ts';
import { runChaos } from './run.ts';

/** `make chaos` sets these variables. Other test runs use small values. */
const seconds = Number(process.env.CHAOS_SECONDS ?? 12);
const clients = Number(process.env.CHAOS_CLIENTS ?? 12);

/** The run must have counted each of these at least once, or it proves nothing. */
const done = [
  ...['sign-in 200', 'sign-in, token endpoint 200', 'refresh 200', 'refresh, token endpoint 200'],
  ...['profile 200', 'sign-out 204', 'a spent token presented too late'],
  ...['family.ended expected', 'token.reuse_detected expected'],
  'answered while no store was away that it takes',
];

test(
  'no promise to a client is broken while processes, Redis and Postgres fail in turn',
  async () => {
    const ledger = await runChaos({ seconds, clients, processes: 3 });
    const report = reportOf(ledger);
    mkdirSync(join(packageRoot, 'artifacts'), { recursive: true });
    writeFileSync(join(packageRoot, 'artifacts', 'chaos.md'), `${report}\n`);
    if (process.env.CHAOS_SECONDS) process.stdout.write(`\n${report}\n`);
    expect(ledger.violations).toEqual([]);
    for (const what of done) expect([what, ledger.counts.get(what)]).toEqual([what, expect.any(Number)]);
  },
  (seconds + 180) * 1000,
);

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { reportOf } from './report.ts';
import { runChaos } from './run.ts';

/** `make chaos` sets these; every test run has a small one. */
const seconds = Number(process.env.CHAOS_SECONDS ?? 12);
const clients = Number(process.env.CHAOS_CLIENTS ?? 12);

/** Without these nothing was shown. */
const done = [
  ...['sign-in 200', 'sign-in, token endpoint 200', 'refresh 200', 'refresh, token endpoint 200'],
  ...['profile 200', 'sign-out 204', 'a spent token presented too late'],
  ...['family.ended expected', 'token.reuse_detected expected'],
  'answered while no store was away that it takes',
];

test(
  'while everything is broken in turn, nobody loses what was promised',
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

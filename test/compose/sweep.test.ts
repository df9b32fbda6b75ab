import { afterEach, describe, expect, test } from '@jest/globals';
import { createSweep, type Sweep } from '../../provider/compose/sweep.ts';
import type { ExpiredRows } from '../../provider/ports/expired-rows.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { waitFor } from '../support/wait-for.ts';

/** A store with the given number of expired rows. */
function rowsOf(count: number) {
  let left = count;
  const calls: { limit: number; now: number }[] = [];
  const sweep = async (limit: number, now: number) => {
    calls.push({ limit, now });
    const deleted = Math.min(limit, left);
    left -= deleted;
    return deleted;
  };
  return { sweep, calls, left: () => left };
}

const sweeps: Sweep[] = [];

afterEach(async () => {
  await Promise.all(sweeps.splice(0).map((sweep) => sweep.stop()));
});

function create(expired: ExpiredRows[], intervalSeconds = 3600) {
  const clock = createManualClock();
  const logged: { level: string; fields: Record<string, unknown> }[] = [];
  const at = (level: string) => (fields: Record<string, unknown>) => void logged.push({ level, fields });
  const logger = { info: at('info'), warn: at('warn') };
  const sweep = createSweep({ expired, clock, intervalSeconds, batch: 10, logger });
  sweeps.push(sweep);
  return { sweep, clock, logged };
}

describe('a pass of the sweep', () => {
  test('continues in every store until less than a batch is left', async () => {
    const [some, full, none] = [rowsOf(25), rowsOf(20), rowsOf(0)];
    const { sweep, clock, logged } = create([some, full, none]);
    await expect(sweep.runOnce()).resolves.toBe(45);
    expect([some.left(), full.left()]).toEqual([0, 0]);
    expect([some, full, none].map(({ calls }) => calls.length)).toEqual([3, 3, 1]);
    expect(some.calls[0]).toEqual({ limit: 10, now: clock.now() });
    expect(logged).toEqual([{ level: 'info', fields: { rows: 45 } }]);
    await expect(sweep.runOnce()).resolves.toBe(0);
    expect(logged).toHaveLength(1);
  });

  test('counts deleted rows and continues if a store fails', async () => {
    const failing = rowsOf(100);
    const sweepFailing = (limit: number, now: number) =>
      failing.calls.length === 2 ? Promise.reject(new Error('down')) : failing.sweep(limit, now);
    const other = rowsOf(5);
    const { sweep, logged } = create([{ sweep: sweepFailing }, other]);
    await expect(sweep.runOnce()).resolves.toBe(25);
    expect(logged.map(({ level }) => level)).toEqual(['warn', 'info']);
  });
});

describe('the sweep', () => {
  test('runs repeatedly after its start', async () => {
    const rows = rowsOf(5);
    const { sweep } = create([rows], 0.002);
    sweep.start();
    await waitFor(() => rows.calls.length >= 4);
  });

  test('does not run more often after a second start', async () => {
    let finish = () => {};
    let calls = 0;
    const held = {
      sweep: async () => {
        calls += 1;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return 0;
      },
    };
    const { sweep } = create([held], 0.002);
    sweep.start();
    sweep.start();
    const other = rowsOf(0);
    create([other], 0.002).sweep.start();
    await waitFor(() => calls > 0);
    await waitFor(() => other.calls.length >= 20);
    expect(calls).toBe(1);
    finish();
  });

  test('stops after the current batch', async () => {
    let finish = () => {};
    let calls = 0;
    const endless = {
      sweep: async (limit: number) => {
        calls += 1;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return limit;
      },
    };
    const { sweep } = create([endless, endless], 0.002);
    sweep.start();
    await waitFor(() => calls === 1);
    let stopped = false;
    const stopping = sweep.stop().then(() => {
      stopped = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(stopped).toBe(false);
    finish();
    await stopping;
    expect(calls).toBe(1);
  });

  test('does not run if it is stopped before the first pass, until it is started again', async () => {
    const rows = rowsOf(0);
    const { sweep } = create([rows], 0.002);
    sweep.start();
    await sweep.stop();
    expect(rows.calls).toHaveLength(0);
    sweep.start();
    await waitFor(() => rows.calls.length >= 2);
  });
});

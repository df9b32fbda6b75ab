import { expect, test } from '@jest/globals';
import { createResponseTimeQuantizer } from '../../provider/rate-limits/response-time-quantizer.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** A grid whose pauses move the clock, and which tells when an outcome went out. */
function createWorld() {
  const clock = createManualClock();
  const grid = createResponseTimeQuantizer({ clock, pause: async (ms) => clock.advance(ms) });
  const answeredAfter = async (workMs: number, waitMs = 0, isOnGrid = true) => {
    const startedAt = clock.now();
    const work = async () => {
      clock.advance(waitMs);
      grid.waited(waitMs);
      clock.advance(workMs);
      throw new Error('wrong');
    };
    await expect(grid.run(work, () => isOnGrid)).rejects.toThrow('wrong');
    return clock.now() - startedAt;
  };
  return { clock, grid, answeredAfter };
}

test('whatever the work took below a step, it is answered at the step', async () => {
  const { answeredAfter } = createWorld();
  for (const workMs of [0, 1, 25, 260, 800, 999]) expect(await answeredAfter(workMs)).toBe(1000);
  expect(await answeredAfter(1000)).toBe(2000);
  expect(await answeredAfter(1620)).toBe(2000);
});

test('time in the queue moves the grid, so that short and long work are told apart by nothing', async () => {
  const { answeredAfter } = createWorld();
  for (const waitMs of [3, 240, 480, 1700])
    for (const workMs of [25, 250]) expect(await answeredAfter(workMs, waitMs)).toBe(1000 + waitMs);
});

test('what needn’t wait goes out at once, an outcome that is no error too', async () => {
  const { clock, grid, answeredAfter } = createWorld();
  expect(await answeredAfter(30, 0, false)).toBe(30);
  const startedAt = clock.now();
  expect(
    await grid.run(
      async () => 'right',
      ({ error }) => error !== undefined,
    ),
  ).toBe('right');
  expect(clock.now()).toBe(startedAt);
  expect(
    await grid.run(
      async () => 'right',
      ({ error }) => error === undefined,
    ),
  ).toBe('right');
  expect(clock.now()).toBe(startedAt + 1000);
});

test('hashes slower than the step make it longer, for as long as the process lives', async () => {
  const { clock, grid, answeredAfter } = createWorld();
  grid.worked(790);
  expect(await answeredAfter(25)).toBe(1000);
  grid.worked(810);
  expect(await answeredAfter(25)).toBe(2000);
  expect(await answeredAfter(810)).toBe(2000);
  grid.worked(1700);
  grid.worked(25);
  expect(await answeredAfter(25)).toBe(4000);
  clock.advance(30 * 86_400_000);
  grid.worked(25);
  expect(await answeredAfter(25)).toBe(4000);
  grid.worked(60_000);
  expect(await answeredAfter(25)).toBe(8000);
});

test('a clock that is set back holds nobody up for longer than a step', async () => {
  const { clock, grid } = createWorld();
  const startedAt = clock.now();
  const work = async () => {
    clock.set(startedAt - 3_600_000);
    throw new Error('wrong');
  };
  await expect(grid.run(work, () => true)).rejects.toThrow('wrong');
  expect(clock.now()).toBe(startedAt - 3_600_000 + 1000);
});

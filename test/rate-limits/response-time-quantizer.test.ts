import { expect, test } from '@jest/globals';
import { createResponseTimeQuantizer } from '../../provider/rate-limits/sign-in-limits.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** A quantizer whose pauses advance the clock, and the duration of an answer. */
function createWorld() {
  const clock = createManualClock();
  const quantizer = createResponseTimeQuantizer({ clock, pause: async (ms) => clock.advance(ms) });
  const answeredAfter = async (workMs: number, waitMs = 0, isDelayed = true) => {
    const startedAt = clock.now();
    const work = async () => {
      clock.advance(waitMs);
      quantizer.hashed({ waitMs, costMs: 0 });
      clock.advance(workMs);
      throw new Error('wrong');
    };
    await expect(quantizer.run(work, () => isDelayed)).rejects.toThrow('wrong');
    return clock.now() - startedAt;
  };
  return { clock, quantizer, answeredAfter };
}

test('work of any duration below a step is answered at the step', async () => {
  const { answeredAfter } = createWorld();
  for (const workMs of [0, 1, 25, 260, 800, 999]) expect(await answeredAfter(workMs)).toBe(1000);
  expect(await answeredAfter(1000)).toBe(2000);
  expect(await answeredAfter(1620)).toBe(2000);
});

test('time in the queue moves the steps, so that short and long work look the same', async () => {
  const { answeredAfter } = createWorld();
  for (const waitMs of [3, 240, 480, 1700])
    for (const workMs of [25, 250]) expect(await answeredAfter(workMs, waitMs)).toBe(1000 + waitMs);
});

test('an outcome that needs no delay is returned at once, whether it is an error or not', async () => {
  const { clock, quantizer, answeredAfter } = createWorld();
  expect(await answeredAfter(30, 0, false)).toBe(30);
  const startedAt = clock.now();
  expect(
    await quantizer.run(
      async () => 'right',
      ({ error }) => error !== undefined,
    ),
  ).toBe('right');
  expect(clock.now()).toBe(startedAt);
  expect(
    await quantizer.run(
      async () => 'right',
      ({ error }) => error === undefined,
    ),
  ).toBe('right');
  expect(clock.now()).toBe(startedAt + 1000);
});

test('a costly hash makes the step longer, for an hour after it was last checked', async () => {
  const { clock, quantizer, answeredAfter } = createWorld();
  const hashed = (costMs: number) => quantizer.hashed({ waitMs: 0, costMs });
  hashed(800);
  expect(await answeredAfter(25)).toBe(1000);
  hashed(810);
  expect(await answeredAfter(25)).toBe(2000);
  expect(await answeredAfter(810)).toBe(2000);
  clock.advance(1_800_000);
  hashed(1700);
  hashed(25);
  expect(await answeredAfter(25)).toBe(4000);
  clock.advance(1_000_000);
  hashed(810);
  clock.advance(2_700_000);
  hashed(25);
  // The hash of 1700 ms was an hour ago, the one of 810 ms was not.
  expect(await answeredAfter(25)).toBe(2000);
  clock.advance(1_200_000);
  expect(await answeredAfter(25)).toBe(1000);
  hashed(60_000);
  expect(await answeredAfter(25)).toBe(8000);
});

test('a busy server answers late, but its steps do not become longer', async () => {
  const { quantizer, answeredAfter } = createWorld();
  for (let index = 0; index < 20; index += 1) {
    // Each check took four seconds, although its hash is cheap.
    expect(await answeredAfter(4100)).toBe(5000);
    quantizer.hashed({ waitMs: 0, costMs: 40 });
  }
  expect(await answeredAfter(25)).toBe(1000);
});

test('when the clock is set back, the delay is one step at most', async () => {
  const { clock, quantizer } = createWorld();
  const startedAt = clock.now();
  const work = async () => {
    clock.set(startedAt - 3_600_000);
    throw new Error('wrong');
  };
  await expect(quantizer.run(work, () => true)).rejects.toThrow('wrong');
  expect(clock.now()).toBe(startedAt - 3_600_000 + 1000);
});

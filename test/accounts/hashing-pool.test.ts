import { describe, expect, test } from '@jest/globals';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** Jobs that run until they are told to end, which they can be before they start. */
function jobs() {
  const started: string[] = [];
  const gates = new Map<string, PromiseWithResolvers>();
  const gate = (name: string) => {
    const known = gates.get(name) ?? withResolvers();
    gates.set(name, known);
    return known;
  };
  const job = (name: string) => async () => {
    started.push(name);
    await gate(name).promise;
    return name;
  };
  return { job, started, end: (name: string) => gate(name).resolve() };
}

interface PromiseWithResolvers {
  promise: Promise<void>;
  resolve(): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function record() {
  const depths: number[] = [];
  const waits: number[] = [];
  let refusals = 0;
  const metrics = {
    queueDepth: (count: number) => void depths.push(count),
    waited: (seconds: number) => void waits.push(seconds),
    refused: () => {
      refusals += 1;
    },
  };
  return { metrics, depths, waits, refusals: () => refusals };
}

describe('the hashing pool', () => {
  test('runs so many at once and the rest in order', async () => {
    const pool = createHashingPool({ concurrency: 2, queueLimit: 2, clock: createManualClock() });
    const { job, started, end } = jobs();
    const runs = ['a', 'b', 'c', 'd'].map((name) => pool.run(job(name)));
    await Promise.resolve();
    expect(started).toEqual(['a', 'b']);
    end('b');
    await expect(runs[1]).resolves.toBe('b');
    expect(started).toEqual(['a', 'b', 'c']);
    end('a');
    await expect(runs[0]).resolves.toBe('a');
    expect(started).toEqual(['a', 'b', 'c', 'd']);
    end('c');
    end('d');
    await expect(Promise.all(runs)).resolves.toEqual(['a', 'b', 'c', 'd']);
  });

  test('turns away at once what no longer fits, and takes more when there is room again', async () => {
    const { metrics, refusals } = record();
    const pool = createHashingPool({ concurrency: 1, queueLimit: 1, clock: createManualClock(), metrics });
    const { job, end } = jobs();
    const kept = [pool.run(job('a')), pool.run(job('b'))];
    await expect(pool.run(job('c'))).rejects.toMatchObject({
      code: 'overloaded',
      status: 503,
      retryAfterSeconds: 2,
    });
    expect(refusals()).toBe(1);
    end('a');
    await kept[0];
    const later = pool.run(job('d'));
    end('b');
    await kept[1];
    end('d');
    await expect(later).resolves.toBe('d');
  });

  test('says before any work is done whether it would turn a job away', async () => {
    const { metrics, refusals } = record();
    const pool = createHashingPool({ concurrency: 1, queueLimit: 1, clock: createManualClock(), metrics });
    const { job, end } = jobs();
    const running = pool.run(job('a'));
    expect(() => pool.ensureRoom()).not.toThrow();
    const waiting = pool.run(job('b'));
    await Promise.resolve();
    expect(() => pool.ensureRoom()).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(refusals()).toBe(1);
    end('a');
    await running;
    expect(() => pool.ensureRoom()).not.toThrow();
    end('b');
    await waiting;
  });

  test('a job that throws gives its place back', async () => {
    const pool = createHashingPool({ concurrency: 1, queueLimit: 0, clock: createManualClock() });
    await expect(pool.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(pool.run(async () => 'fine')).resolves.toBe('fine');
  });

  test('tells how long a job waited', async () => {
    const { metrics, waits } = record();
    const clock = createManualClock();
    const pool = createHashingPool({ concurrency: 1, queueLimit: 1, clock, metrics });
    const { job, end } = jobs();
    const runs = [pool.run(job('a')), pool.run(job('b'))];
    await Promise.resolve();
    clock.advance(1500);
    end('a');
    await runs[0];
    end('b');
    await runs[1];
    expect(waits).toEqual([0, 1.5]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { createCostlyLane, createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import type { Tracing } from '../../provider/lib/tracing.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** Jobs that run until `end` is called. It may be called before they start. */
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
    hashingQueueDepth: { set: (count: number) => void depths.push(count) },
    hashingWait: { observe: (seconds: number) => void waits.push(seconds) },
    hashingRefused: {
      inc: () => {
        refusals += 1;
      },
    },
  };
  return { metrics, depths, waits, refusals: () => refusals };
}

describe('the hashing pool', () => {
  test('runs a bounded number of jobs at once and the rest in order', async () => {
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

  test('refuses at once while the queue is full, and accepts jobs again afterwards', async () => {
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

  test('refuses before other work is done, if it would refuse the job', async () => {
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

  test('frees the slot of a job that throws', async () => {
    const pool = createHashingPool({ concurrency: 1, queueLimit: 0, clock: createManualClock() });
    await expect(pool.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(pool.run(async () => 'fine')).resolves.toBe('fine');
  });

  test('measures the queue and how long a job waited, and reports how long it took', async () => {
    const { metrics, depths, waits } = record();
    const clock = createManualClock();
    const times: unknown[] = [];
    const onHashed = (time: object) => void times.push(time);
    const pool = createHashingPool({ concurrency: 1, queueLimit: 1, clock, metrics, onHashed });
    const { job, end } = jobs();
    const runs = [pool.run(job('a')), pool.run(job('b'))];
    await Promise.resolve();
    clock.advance(1500);
    end('a');
    await runs[0];
    clock.advance(20);
    end('b');
    await runs[1];
    expect(waits).toEqual([0, 1.5]);
    expect(depths).toEqual([1, 0]);
    expect(times).toEqual([
      { waitMs: 0, workMs: 1500 },
      { waitMs: 1500, workMs: 20 },
    ]);
  });

  test('makes a span for each job, and a child span for its work', async () => {
    const names: string[] = [];
    const tracing = {
      span: <T>(name: string, _attributes: object, work: () => Promise<T>) => {
        names.push(name);
        return work();
      },
    } as Tracing;
    const pool = createHashingPool({ concurrency: 1, queueLimit: 0, clock: createManualClock(), tracing });
    await expect(pool.run(async () => 'hashed')).resolves.toBe('hashed');
    expect(names).toEqual(['hash password', 'hash password: work']);
  });
});

describe('the lane for costly jobs', () => {
  const create = (concurrency: number) => {
    const { metrics, refusals } = record();
    const times: unknown[] = [];
    const clock = createManualClock();
    const onHashed = (time: object) => void times.push(time);
    const options = { concurrency, queueLimit: 100, clock, metrics, onHashed };
    const pool = createHashingPool(options);
    return { pool, lane: createCostlyLane(pool, options), clock, times, refusals, ...jobs() };
  };

  test('runs one at a time in a slot of the pool, so that the others stay free', async () => {
    const { pool, lane, started, job, end, clock, times } = create(2);
    const costly = ['a', 'b'].map((name) => lane.run(job(name)));
    const ordinary = ['c', 'd'].map((name) => pool.run(job(name)));
    await Promise.resolve();
    expect(started).toEqual(['a', 'c']);
    end('c');
    await ordinary[0];
    expect(started).toEqual(['a', 'c', 'd']);
    clock.advance(2000);
    end('a');
    await costly[0];
    end('d');
    end('b');
    await expect(Promise.all(costly)).resolves.toEqual(['a', 'b']);
    // The time in the lane counts as time in the queue.
    expect(times).toContainEqual({ waitMs: 2000, workMs: 0 });
  });

  test('runs beside a pool that has one slot', async () => {
    const { pool, lane, started, job, end } = create(1);
    const costly = ['a', 'b'].map((name) => lane.run(job(name)));
    const ordinary = pool.run(job('c'));
    await Promise.resolve();
    expect(started).toEqual(['a', 'c']);
    for (const name of ['a', 'b', 'c']) end(name);
    await expect(Promise.all([...costly, ordinary])).resolves.toEqual(['a', 'b', 'c']);
  });

  test.each([1, 2])('refuses when eight wait, with %d slots in the pool', async (concurrency) => {
    const { pool, lane, job, end, refusals } = create(concurrency);
    const names = [...'abcdefghi'];
    const running = names.map((name) => lane.run(job(name)));
    await expect(lane.run(job('j'))).rejects.toMatchObject({ code: 'overloaded' });
    expect(refusals()).toBe(1);
    expect(() => pool.ensureRoom()).not.toThrow();
    names.forEach(end);
    await expect(Promise.all(running)).resolves.toEqual(names);
  });
});

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

  test('measures the queue and how long a job waited, and reports its cost', async () => {
    const { metrics, depths, waits } = record();
    const clock = createManualClock();
    const times: unknown[] = [];
    const onHashed = (time: object) => void times.push(time);
    const pool = createHashingPool({ concurrency: 1, queueLimit: 1, clock, metrics, onHashed });
    const { job, end } = jobs();
    const runs = [pool.run(job('a'), 900), pool.run(job('b'), 30)];
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
      { waitMs: 0, costMs: 900 },
      { waitMs: 1500, costMs: 30 },
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
    expect(times).toContainEqual({ waitMs: 2000, costMs: 0 });
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

describe('callers of the hashing pool', () => {
  /** A pool, and jobs that are named after their network and account: `n1/ann` and `n1/ann#2` are of the same caller. */
  const create = ({ concurrency = 1, queueLimit = 100 } = {}) => {
    const { job, started, end } = jobs();
    const { metrics, refusals } = record();
    let name = '';
    const caller = () => {
      const [network, account] = name.replace(/#.*/, '').split('/');
      return { network: network || undefined, account: account || undefined };
    };
    const clock = createManualClock();
    const pool = createHashingPool({ concurrency, queueLimit, clock, caller, metrics });
    const outcomes: Record<string, unknown> = {};
    const run = (given: string) => {
      name = given;
      const outcome = pool.run(job(given)).then(
        () => 'done',
        ({ code }) => code,
      );
      void outcome.then((known) => {
        outcomes[given] = known;
      });
    };
    const settled = () => new Promise<void>((done) => setImmediate(done));
    /** Ends jobs in the order in which they start, and gives their names. */
    const finish = async () => {
      await settled();
      for (let index = 0; index < started.length; index += 1) {
        end(started[index] ?? '');
        await settled();
      }
      return started;
    };
    const asks = (given: string) => {
      name = given;
      return () => pool.ensureRoom();
    };
    return { run, finish, settled, started, end, outcomes, refusals, asks };
  };

  test('take turns by network, however many jobs each of them has', async () => {
    const { run, finish } = create();
    for (let index = 1; index <= 6; index += 1) run(`hog/a${index}`);
    for (const name of ['n1/ann', 'n2/ben', 'n1/cat']) run(name);
    expect(await finish()).toEqual([
      ...['hog/a1', 'n1/ann', 'n2/ben', 'hog/a2', 'n1/cat'],
      ...['hog/a3', 'hog/a4', 'hog/a5', 'hog/a6'],
    ]);
  });

  test('that come one after the other do not pass a network that waits for its next turn', async () => {
    const { run, settled, started, end } = create({ queueLimit: 20 });
    run('n0/a');
    run('n1/ann');
    run('n1/ben');
    for (let index = 0; !started.includes('n1/ben') && index < 100; index += 1) {
      run(`new${index}/x`);
      run(`new${index}/y`);
      await settled();
      end(started.at(-1) ?? '');
      await settled();
    }
    expect(started).toContain('n1/ben');
  });

  test('of one account use at most half of the slots, from however many networks', async () => {
    const { run, settled, started, finish } = create({ concurrency: 4 });
    for (let index = 0; index < 5; index += 1) run(`n${index}/ann`);
    run('n9/ben');
    await settled();
    expect(started).toEqual(['n0/ann', 'n1/ann', 'n9/ben']);
    expect(await finish()).toHaveLength(6);
  });

  test('of one network leave one of three slots to others, and use both of two', async () => {
    for (const [concurrency, most] of [
      [1, 1],
      [2, 2],
      [3, 2],
      [4, 3],
    ] as const) {
      const { run, settled, started, finish } = create({ concurrency });
      for (let index = 0; index < 6; index += 1) run(`hog/a${index}`);
      await settled();
      expect(started).toHaveLength(most);
      run('other/ann');
      await settled();
      expect(started.includes('other/ann')).toBe(concurrency > 2);
      expect(await finish()).toHaveLength(7);
    }
  });

  test('get a place in a full queue from the network that has the most', async () => {
    const { run, finish, outcomes, refusals, asks } = create({ queueLimit: 4 });
    for (let index = 0; index <= 4; index += 1) run(`hog/a${index}`);
    expect(asks('hog/more')).toThrow(expect.objectContaining({ code: 'overloaded' }));
    expect(asks('n1/ann')).not.toThrow();
    run('hog/more');
    for (const name of ['n1/ann', 'n2/ben', 'n3/cat', 'n1/dan', 'n4/eve']) run(name);
    expect(await finish()).toEqual(['hog/a0', 'n1/ann', 'n2/ben', 'n3/cat', 'hog/a1']);
    expect(outcomes).toMatchObject({
      'hog/more': 'overloaded',
      'hog/a4': 'overloaded',
      'hog/a3': 'overloaded',
      'hog/a2': 'overloaded',
      'n1/dan': 'overloaded',
      'n4/eve': 'overloaded',
      'hog/a1': 'done',
      'n1/ann': 'done',
    });
    // With the question before.
    expect(refusals()).toBe(7);
  });

  test('of one account wait in at most half of the queue, and a network with many gives a place to one with few', async () => {
    const { run, finish, outcomes } = create({ queueLimit: 6 });
    run('n0/other');
    for (let index = 0; index < 5; index += 1) run(`hog/ann#${index}`);
    run('n1/ann');
    run('n2/ben');
    await finish();
    expect(outcomes).toEqual({
      'n0/other': 'done',
      'hog/ann#0': 'done',
      'hog/ann#1': 'done',
      'n1/ann': 'done',
      'n2/ben': 'done',
      'hog/ann#2': 'too_many_requests',
      'hog/ann#3': 'too_many_requests',
      'hog/ann#4': 'too_many_requests',
    });
  });

  test('that are not known have no bound of their own', async () => {
    const { run, settled, started, finish } = create({ concurrency: 4 });
    for (let index = 0; index < 6; index += 1) run(`#${index}`);
    await settled();
    expect(started).toHaveLength(4);
    expect(await finish()).toHaveLength(6);
  });

  test('with many jobs in the pool do not hold up the lane for costly jobs', async () => {
    const { job, started, end } = jobs();
    let network = 'hog';
    const options = {
      concurrency: 2,
      queueLimit: 100,
      clock: createManualClock(),
      caller: () => ({ network }),
    };
    const pool = createHashingPool(options);
    const lane = createCostlyLane(pool, options);
    const runs = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => pool.run(job(name)));
    runs.push(lane.run(job('costly of the hog')));
    network = 'other';
    runs.push(lane.run(job('costly of another')));
    for (const name of ['a', 'b', 'costly of the hog', 'c']) {
      end(name);
      await new Promise<void>((done) => setImmediate(done));
    }
    expect(started).toEqual(['a', 'b', 'costly of the hog', 'c', 'd', 'costly of another']);
    for (const name of ['d', 'e', 'f', 'costly of another']) end(name);
    await Promise.all(runs);
  });
});

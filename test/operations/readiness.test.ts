import { describe, expect, test } from '@jest/globals';
import { createReadiness } from '../../provider/http/readiness.ts';
import { createManualClock } from '../support/manual-clock.ts';

function createWorld({ blipSeconds = 10, patienceMs = 500 } = {}) {
  const clock = createManualClock();
  const asked = { postgres: 0, redis: 0 };
  const moods = new Map<string, () => Promise<void>>();
  const dependency = (name: keyof typeof asked) => ({
    name,
    ping: async () => {
      asked[name] += 1;
      await moods.get(name)?.();
    },
    close: async () => {},
  });
  const logged: string[] = [];
  const at = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void logged.push(`${level} ${fields.dependency}: ${message}`);
  const up = new Map<string, number>();
  const readiness = createReadiness({
    clock,
    blipSeconds,
    patienceMs,
    dependencies: [dependency('postgres'), dependency('redis')],
    logger: { info: at('info'), error: at('error') },
    metrics: { dependencyUp: { set: (value, labels) => void up.set(labels.dependency, value) } },
  });
  const fails = (name: string) => void moods.set(name, () => Promise.reject(new Error('away')));
  const answers = (name: string) => void moods.delete(name);
  /** Advances the clock by the given seconds and checks. */
  const checkAfter = (seconds: number) => {
    clock.advance(seconds * 1000);
    return readiness.check();
  };
  return { clock, asked, moods, logged, up, readiness, fails, answers, checkAfter };
}

describe('readiness', () => {
  test('is true if every dependency answers', async () => {
    const { readiness, up } = createWorld();
    expect(await readiness.check()).toEqual({ ready: true, failing: [] });
    expect([...up]).toEqual([
      ['postgres', 1],
      ['redis', 1],
    ]);
  });

  test('a clock that was set back neither makes a blip longer, nor an answer fresh', async () => {
    const { readiness, fails, answers, checkAfter } = createWorld({ blipSeconds: 0 });
    await readiness.check();
    fails('redis');
    expect(await checkAfter(5)).toEqual({ ready: false, failing: ['redis'] });
    expect(await checkAfter(-3600)).toEqual({ ready: false, failing: ['redis'] });
    answers('redis');
    expect(await checkAfter(-3600)).toEqual({ ready: true, failing: [] });
  });

  test('stays true during a short failure, which is named, and becomes false during a longer one', async () => {
    const { readiness, fails, answers, checkAfter, up, logged } = createWorld();
    await readiness.check();
    fails('redis');
    expect(await checkAfter(5)).toEqual({ ready: true, failing: ['redis'] });
    expect(up.get('redis')).toBe(0);
    expect(await checkAfter(9.999)).toEqual({ ready: true, failing: ['redis'] });
    expect(logged).toEqual([]);
    expect(await checkAfter(0.001)).toEqual({ ready: false, failing: ['redis'] });
    expect(await checkAfter(60)).toEqual({ ready: false, failing: ['redis'] });
    expect(logged).toEqual(['error redis: dependency does not answer']);
    answers('redis');
    expect(await checkAfter(1)).toEqual({ ready: true, failing: [] });
    expect(logged.slice(1)).toEqual(['info redis: dependency answers again']);
  });

  test('counts each failure from its first check', async () => {
    const { readiness, fails, answers, checkAfter } = createWorld();
    await readiness.check();
    fails('postgres');
    expect((await checkAfter(3600)).ready).toBe(true);
    expect((await checkAfter(9)).ready).toBe(true);
    answers('postgres');
    await checkAfter(1);
    fails('postgres');
    expect((await checkAfter(5)).ready).toBe(true);
    expect((await checkAfter(9)).ready).toBe(true);
    expect((await checkAfter(1)).ready).toBe(false);
  });

  test('is false at once for a dependency that has never answered, and logs this later', async () => {
    const { readiness, fails, checkAfter, logged } = createWorld();
    fails('postgres');
    expect(await readiness.check()).toEqual({ ready: false, failing: ['postgres'] });
    expect(logged).toEqual([]);
    await checkAfter(10);
    expect(logged).toHaveLength(1);
  });

  test('is false at once for every failure if the tolerated time is 0 seconds', async () => {
    const { readiness, fails, checkAfter } = createWorld({ blipSeconds: 0 });
    expect((await readiness.check()).ready).toBe(true);
    fails('redis');
    expect(await checkAfter(1)).toEqual({ ready: false, failing: ['redis'] });
  });

  test('checks each dependency at most once a second', async () => {
    const { readiness, asked, checkAfter } = createWorld();
    await Promise.all(Array.from({ length: 50 }, () => readiness.check()));
    await checkAfter(0.999);
    expect(asked).toEqual({ postgres: 1, redis: 1 });
    await checkAfter(0.001);
    expect(asked).toEqual({ postgres: 2, redis: 2 });
  });

  test('answers while a dependency hangs, and sends it no second ping', async () => {
    const { readiness, moods, asked, checkAfter } = createWorld({ patienceMs: 5 });
    await readiness.check();
    let answer = () => {};
    const hang = (resolve: () => void) => {
      answer = resolve;
    };
    moods.set('postgres', () => new Promise(hang));
    expect(await checkAfter(2)).toEqual({ ready: true, failing: ['postgres'] });
    expect(await checkAfter(10)).toEqual({ ready: false, failing: ['postgres'] });
    expect(asked.postgres).toBe(2);
    answer();
    await Promise.resolve();
    moods.delete('postgres');
    expect(await checkAfter(1)).toEqual({ ready: true, failing: [] });
  });
});

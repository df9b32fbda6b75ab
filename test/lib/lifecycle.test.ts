import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../provider/lib/clock.ts';
import { type Component, createLifecycle } from '../../provider/lib/lifecycle.ts';
import { createLogger } from '../../provider/lib/logger.ts';

const never = () => new Promise<void>(() => undefined);

/** A lifecycle with components that record their calls in order. */
function setUp() {
  const steps: string[] = [];
  const lines: Array<Record<string, unknown>> = [];
  const logger = createLogger({
    level: 'debug',
    destination: { write: (line) => lines.push(JSON.parse(line)) },
  });
  const lifecycle = createLifecycle({ logger, clock: systemClock });
  const add = (name: string, component: Partial<Component> = {}) =>
    lifecycle.add({
      name,
      start: () => void steps.push(`start ${name}`),
      stop: () => void steps.push(`stop ${name}`),
      ...component,
    });
  return { lifecycle, steps, lines, add };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('starting', () => {
  test('starts components in order, each after the one before', async () => {
    const { lifecycle, steps, add } = setUp();
    add('store', {
      start: async () => {
        await Promise.resolve();
        steps.push('start store');
      },
    });
    add('server');
    expect(lifecycle.phase()).toBe('starting');
    await lifecycle.start();
    expect(steps).toEqual(['start store', 'start server']);
    expect(lifecycle.phase()).toBe('serving');
  });

  test('stops the started components in reverse order after a failure, and rejects with the reason', async () => {
    const { lifecycle, steps, add } = setUp();
    add('a');
    add('b');
    add('c', { start: () => Promise.reject(new Error('port in use')) });
    add('d');
    await expect(lifecycle.start()).rejects.toThrow('port in use');
    expect(steps).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    expect(lifecycle.phase()).toBe('stopping');
  });
});

describe('stopping', () => {
  test('stops components in reverse order', async () => {
    const { lifecycle, steps, add } = setUp();
    add('a');
    add('b');
    await lifecycle.start();
    expect(await lifecycle.stop()).toEqual([]);
    expect(steps).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  test('becomes unready at once, and keeps serving for the delay', async () => {
    const { lifecycle, steps, add } = setUp();
    add('server');
    await lifecycle.start();
    const stopped = lifecycle.stop({ delaySeconds: 5 });
    expect(lifecycle.phase()).toBe('stopping');
    await jest.advanceTimersByTimeAsync(4999);
    expect(steps).toEqual(['start server']);
    await jest.advanceTimersByTimeAsync(1);
    await stopped;
    expect(steps).toEqual(['start server', 'stop server']);
  });

  test('happens once for many calls', async () => {
    const { lifecycle, steps, add } = setUp();
    add('a');
    await lifecycle.start();
    const stopped = lifecycle.stop();
    expect(lifecycle.stop()).toBe(stopped);
    await stopped;
    expect(lifecycle.stop()).toBe(stopped);
    expect(steps).toEqual(['start a', 'stop a']);
  });

  test.each<[string, Component['stop'], string]>([
    ['rejects', () => Promise.reject(new Error('broken pipe')), 'failed to stop'],
    [
      'throws',
      () => {
        throw new Error('broken pipe');
      },
      'failed to stop',
    ],
    ['hangs', never, 'not stopped in time'],
  ])('logs the name of a component that %s, and continues', async (_, stop, message) => {
    const { lifecycle, steps, lines, add } = setUp();
    add('a');
    add('b', { ...(stop && { stop }), stopSeconds: 3 });
    add('c');
    await lifecycle.start();
    const stopped = lifecycle.stop();
    await jest.advanceTimersByTimeAsync(3000);
    expect(await stopped).toEqual(['b']);
    expect(steps.slice(3)).toEqual(['stop c', 'stop a']);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', component: 'b', msg: message }));
  });

  test('leaves no timer that would keep the process running', async () => {
    const { lifecycle, add } = setUp();
    add('a');
    await lifecycle.start();
    await lifecycle.stop();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('stopping while starting', () => {
  test('waits for the current start, starts no more, and stops the started components without the delay', async () => {
    const { lifecycle, steps, add } = setUp();
    let finish: () => void = () => undefined;
    add('a', { start: () => new Promise<void>((resolve) => (finish = resolve)) });
    add('b');
    const start = lifecycle.start();
    const rejected = expect(start).rejects.toThrow('stopped while starting');
    const stopped = lifecycle.stop({ delaySeconds: 60 });
    finish();
    expect(await stopped).toEqual([]);
    await rejected;
    expect(steps).toEqual(['stop a']);
    expect(lifecycle.phase()).toBe('stopping');
  });

  test('stops waiting for a start that hangs, and stops that component if it starts later', async () => {
    const { lifecycle, steps, add } = setUp();
    let finish: () => void = () => undefined;
    add('a');
    add('b', { start: () => new Promise<void>((resolve) => (finish = resolve)) });
    const rejected = expect(lifecycle.start()).rejects.toThrow('stopped while starting');
    await jest.advanceTimersByTimeAsync(0);
    const stopped = lifecycle.stop();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await stopped).toEqual(['start']);
    expect(steps).toEqual(['start a', 'stop a']);
    finish();
    await rejected;
    await jest.runAllTimersAsync();
    expect(steps).toEqual(['start a', 'stop a', 'stop b']);
  });
});

import { connect, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { freePort } from './free-port.ts';
import { createManualClock } from './manual-clock.ts';
import { waitFor } from './wait-for.ts';

test('waitFor returns the first truthy value, after values that are falsy or thrown', async () => {
  const answers = [
    () => undefined,
    () => {
      throw new Error('not yet');
    },
    async () => 'here',
  ];
  expect(await waitFor(() => answers.shift()?.(), { intervalMs: 1 })).toBe('here');
});

test('waitFor reports what it waited for, and the last value', async () => {
  const options = { timeoutMs: 5, intervalMs: 1, what: 'the moon' };
  await expect(waitFor(() => false, options)).rejects.toThrow(
    'Waited 5 ms for the moon in vain; the last look gave false.',
  );
  const refuse = () => Promise.reject(new Error('refused'));
  await expect(waitFor(refuse, options)).rejects.toThrow('the last look threw: refused.');
});

test('a manual clock moves only on request', () => {
  const clock = createManualClock(1000);
  expect([clock.now(), clock.now()]).toEqual([1000, 1000]);
  clock.advance(500);
  expect(clock.now()).toBe(1500);
  clock.set(7);
  expect(clock.now()).toBe(7);
});

test('a free port can be used', async () => {
  const port = await freePort();
  const server = createServer((socket) => socket.end('hello'));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const greeting = await new Promise((resolve) => connect(port, '127.0.0.1').once('data', resolve));
  expect(String(greeting)).toBe('hello');
  await new Promise((resolve) => server.close(resolve));
});

import { afterEach, expect, test } from '@jest/globals';
import { createOperationsApp, type OperationsDeps } from '../../provider/http/health.ts';
import { type Listener, listen } from '../../provider/http/server.ts';

let listener: Listener | undefined;
afterEach(() => listener?.close());

async function get(path: string, phase: ReturnType<OperationsDeps['phase']>, failing: string[]) {
  const app = createOperationsApp({
    version: '1.2.3',
    phase: () => phase,
    readiness: { check: async () => ({ ready: failing.length === 0, failing }) },
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
  });
  listener = await listen(app, { port: 0, host: '127.0.0.1' });
  const answer = await fetch(`http://127.0.0.1:${listener.port}${path}`);
  return [answer.status, await answer.json()];
}

test.each([
  ['serving', [], 200, { status: 'ok' }],
  ['serving', ['redis'], 503, { status: 'unready', failing: ['redis'] }],
  ['starting', [], 503, { status: 'unready', starting: true }],
  ['starting', ['redis'], 503, { status: 'unready', starting: true, failing: ['redis'] }],
  ['stopping', [], 503, { status: 'unready', stopping: true }],
] as const)('in the state %s, without %j, the status is %d', async (phase, failing, status, body) => {
  expect(await get('/readyz', phase, [...failing])).toEqual([status, body]);
});

test('the answer to /livez names the release, also while a store is away', async () => {
  expect(await get('/livez', 'serving', ['redis'])).toEqual([200, { status: 'ok', version: '1.2.3' }]);
});

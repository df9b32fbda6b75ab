import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { currentRequestScope, runInRequestScope } from '../../provider/lib/request-scope.ts';

const scope = (requestId: string) => ({ requestId, clientAddress: '192.0.2.1', userAgent: undefined });

test('each request sees its own scope, across awaits', async () => {
  const seen = await Promise.all(
    ['a', 'b', 'c'].map((id) =>
      runInRequestScope(scope(id), async () => {
        await setImmediate();
        return currentRequestScope()?.requestId;
      }),
    ),
  );
  expect(seen).toEqual(['a', 'b', 'c']);
});

test('outside of a request there is no scope', () => {
  runInRequestScope(scope('a'), () => undefined);
  expect(currentRequestScope()).toBeUndefined();
});

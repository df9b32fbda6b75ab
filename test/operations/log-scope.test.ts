import { describe, expect, test } from '@jest/globals';
import { createLogger } from '../../provider/lib/logger.ts';
import {
  currentRequestScope,
  noteAccount,
  noteClient,
  runInRequestScope,
} from '../../provider/lib/request-scope.ts';

const scope = () => ({ requestId: 'r1', clientAddress: '192.0.2.1', userAgent: 'a browser' });

function recorder() {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line) => lines.push(line) } });
  const last = () => {
    const { time: _, level: __, service: ___, ...rest } = JSON.parse(lines.at(-1) ?? 'null');
    return rest;
  };
  return { logger, last };
}

describe('a log line within a request', () => {
  test('has the request id, and client and account as soon as they are known, also after awaits', async () => {
    const { logger, last } = recorder();
    await runInRequestScope(scope(), async () => {
      logger.info({ n: 1 }, 'm');
      expect(last()).toEqual({ requestId: 'r1', n: 1, msg: 'm' });
      await Promise.resolve().then(() => noteClient('demo-web'));
      logger.info({}, 'm');
      expect(last()).toEqual({ requestId: 'r1', clientId: 'demo-web', msg: 'm' });
      noteAccount('user_1');
      logger.child({ part: 'x' }).info({}, 'm');
      const known = { requestId: 'r1', clientId: 'demo-web', accountId: 'user_1' };
      expect(last()).toEqual({ ...known, part: 'x', msg: 'm' });
    });
  });

  test('has the fields of its caller instead of noted values', () => {
    const { logger, last } = recorder();
    runInRequestScope(scope(), () => {
      noteClient('demo-web');
      logger.info({ clientId: 'demo-spa' }, 'm');
    });
    expect(last()).toEqual({ requestId: 'r1', clientId: 'demo-spa', msg: 'm' });
  });

  test('has the trace id of its request', () => {
    const { logger, last } = recorder();
    runInRequestScope({ ...scope(), traceId: 't1' }, () => logger.info({}, 'm'));
    expect(last()).toEqual({ requestId: 'r1', traceId: 't1', msg: 'm' });
  });
});

test('the first noted value is kept, and requests don’t share values', () => {
  const seen = ['a', 'b'].map((id) =>
    runInRequestScope(scope(), () => {
      noteAccount(id);
      noteAccount('another');
      return currentRequestScope()?.accountId;
    }),
  );
  expect(seen).toEqual(['a', 'b']);
});

test('outside of a request notes are ignored, and log lines have no id', () => {
  const { logger, last } = recorder();
  noteClient('demo-web');
  noteAccount('user_1');
  logger.info({}, 'm');
  expect(last()).toEqual({ msg: 'm' });
});

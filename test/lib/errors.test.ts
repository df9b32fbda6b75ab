import { describe, expect, test } from '@jest/globals';
import {
  ConfigurationError,
  type ErrorCode,
  errorStatus,
  GatehouseError,
  StoreUnavailable,
} from '../../provider/lib/errors.ts';

describe('an error for callers', () => {
  test.each(Object.keys(errorStatus) as ErrorCode[])('%s has the status of its code', (code) => {
    const error = new GatehouseError(code, 'No.');
    expect(error).toMatchObject({ name: 'GatehouseError', code, status: errorStatus[code], message: 'No.' });
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(600);
  });

  test('has no cause in its message, and no cause unless one is given', () => {
    const cause = new Error('password authentication failed for user "x"');
    expect(new GatehouseError('internal_error', 'Something failed.', { cause })).toMatchObject({
      message: 'Something failed.',
      cause,
    });
    expect('cause' in new GatehouseError('not_found', 'No.')).toBe(false);
  });

  test('contains the fields and the time to retry', () => {
    const fields = [{ pointer: '/email', message: 'must be an address' }];
    const error = new GatehouseError('validation_failed', 'Wrong.', { fields, retryAfterSeconds: 3 });
    expect(error).toMatchObject({ fields, retryAfterSeconds: 3 });
  });
});

test('the error for an unreachable store asks for a retry and contains the reason for the log', () => {
  const cause = new Error('ECONNREFUSED 10.0.0.1');
  const error = new StoreUnavailable('Redis', cause);
  expect(error).toBeInstanceOf(GatehouseError);
  expect(error).toMatchObject({ name: 'StoreUnavailable', code: 'store_unavailable', status: 503, cause });
  expect(error.retryAfterSeconds).toBeGreaterThan(0);
  expect(error.message).not.toContain('10.0.0.1');
});

test('a configuration error lists its problems, one on each line', () => {
  const error = new ConfigurationError(['a is wrong', 'b is wrong']);
  expect(error).toMatchObject({ name: 'ConfigurationError', message: 'a is wrong\nb is wrong' });
  expect(error.problems).toEqual(['a is wrong', 'b is wrong']);
});

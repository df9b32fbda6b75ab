import '../../provider/oidc/runtime-notice.ts';
import { describe, expect, test } from '@jest/globals';
import { errors } from 'oidc-provider';
import { fromProtocolError } from '../../provider/json-api/protocol-errors.ts';
import { GatehouseError } from '../../provider/lib/errors.ts';

describe('fromProtocolError', () => {
  test.each([
    [new errors.InvalidGrant('why'), 'invalid_grant', 401],
    [new errors.InvalidClient('why'), 'client_not_allowed', 403],
    [new errors.UnauthorizedClient('why'), 'client_not_allowed', 403],
    [new errors.InvalidScope('why', 'x'), 'invalid_request', 400],
    [new errors.InvalidTarget('why'), 'invalid_request', 400],
    [new errors.InvalidRequest('why'), 'invalid_request', 400],
    [new errors.TemporarilyUnavailable('why'), 'store_unavailable', 503],
  ])('%s becomes %s', (error, code, status) => {
    expect(fromProtocolError(error)).toMatchObject({ code, status, cause: error });
    expect(fromProtocolError(error)).toBeInstanceOf(GatehouseError);
    expect((fromProtocolError(error) as GatehouseError).message).toMatch(/^[A-Z].* .*\.$/);
  });

  test('a wrapped GatehouseError is returned unchanged', () => {
    const own = new GatehouseError('overloaded', 'Later.', { retryAfterSeconds: 2 });
    const told = Object.assign(new errors.TemporarilyUnavailable('Later.'), { cause: own });
    expect(fromProtocolError(told)).toBe(own);
  });

  test.each([
    new Error('a bug'),
    new GatehouseError('not_found', 'x'),
    Object.assign(new Error(), { error: 'odd' }),
  ])('any other error is returned unchanged', (error) => {
    expect(fromProtocolError(error)).toBe(error);
  });
});

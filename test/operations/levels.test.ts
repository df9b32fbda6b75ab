import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { Provider } from 'oidc-provider';
import { isCut } from '../../provider/lib/cut-connection.ts';
import { GatehouseError, StoreUnavailable } from '../../provider/lib/errors.ts';
import { createLogger } from '../../provider/lib/logger.ts';
import { createMetrics } from '../../provider/lib/metrics.ts';
import { orUnavailable } from '../../provider/oidc/current-request.ts';
import { listen } from '../../provider/oidc/listeners.ts';

/** The listeners on a separate emitter, with their log lines as level and text. */
function createWorld() {
  const logged: string[] = [];
  const at = (level: string) => (_: object, message: string) => void logged.push(`${level}: ${message}`);
  const emitter = new EventEmitter();
  listen(emitter as Provider, {
    logger: {
      ...createLogger({ level: 'error' }),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
    },
    metrics: createMetrics({ version: '0', runtime: false }),
    clients: {
      all: () => [],
      find: () => undefined,
      findAny: () => undefined,
      lookup: async () => undefined,
      mayBeThirdParty: () => false,
      isOriginOf: () => false,
      metadata: () => undefined,
      secretMatches: () => false,
    },
  });
  return { emitter, logged };
}

const coded = (code: string) => Object.assign(new Error('it failed'), { code });
const thrownBy = (error: Error) =>
  orUnavailable(() => Promise.reject(error)).catch((thrown: unknown) => thrown);

describe('an event of the library is logged', () => {
  test('with the level debug if a connection was cut', () => {
    const { emitter, logged } = createWorld();
    for (const code of ['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']) emitter.emit('error', coded(code));
    expect(new Set(logged)).toEqual(new Set(['debug: connection closed before the response']));
  });

  test('with the level error if it is an internal error', () => {
    const { emitter, logged } = createWorld();
    emitter.emit('error', coded('ERR_ASSERTION'));
    emitter.emit('server_error', { oidc: { route: 'token' } }, new Error('a fault'));
    expect(logged).toEqual(['error: response not sent', 'error: protocol request failed']);
  });

  test('with the level info for a refusal, and with an additional warning if a store was unreachable', async () => {
    const { emitter, logged } = createWorld();
    emitter.emit('grant.error', {}, await thrownBy(new GatehouseError('overloaded', 'Later.')));
    expect(logged.splice(0)).toEqual(['info: protocol request refused']);
    emitter.emit('grant.error', {}, await thrownBy(new StoreUnavailable('Redis', new Error('away'))));
    expect(logged).toEqual(['warn: store not reached', 'info: protocol request refused']);
  });
});

test.each([undefined, null, 'ECONNRESET', new Error('ECONNRESET'), coded('ECONNREFUSED')])(
  '%p does not count as a cut connection',
  (error) => {
    expect(isCut(error)).toBe(false);
  },
);

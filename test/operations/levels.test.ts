import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import type { Provider } from 'oidc-provider';
import { isCut } from '../../provider/lib/cut-connection.ts';
import { GatehouseError, StoreUnavailable } from '../../provider/lib/errors.ts';
import { listen } from '../../provider/oidc/listeners.ts';
import { orUnavailable } from '../../provider/oidc/unavailable.ts';

/** The listeners on an emitter of their own: what they log, as level and text. */
function createWorld() {
  const logged: string[] = [];
  const at = (level: string) => (_: object, message: string) => void logged.push(`${level}: ${message}`);
  const emitter = new EventEmitter();
  listen(emitter as Provider, {
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    metrics: { tokensIssued: () => {}, interaction: () => {} },
    clientKind: () => 'third_party',
  });
  return { emitter, logged };
}

const coded = (code: string) => Object.assign(new Error('it failed'), { code });
const thrownBy = (error: Error) =>
  orUnavailable(() => Promise.reject(error)).catch((thrown: unknown) => thrown);

describe('what the library tells is logged', () => {
  test('as nothing that anybody must see, when a connection was cut', () => {
    const { emitter, logged } = createWorld();
    for (const code of ['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']) emitter.emit('error', coded(code));
    expect(new Set(logged)).toEqual(new Set(['debug: the connection was cut before the answer was sent']));
  });

  test('as an error, when it is a fault of ours', () => {
    const { emitter, logged } = createWorld();
    emitter.emit('error', coded('ERR_ASSERTION'));
    emitter.emit('server_error', { oidc: { route: 'token' } }, new Error('a fault'));
    expect(logged).toEqual([
      'error: an answer could not be sent',
      'error: a protocol request failed on our side',
    ]);
  });

  test('as information, when somebody was refused; with a warning, when it was for a store', async () => {
    const { emitter, logged } = createWorld();
    emitter.emit('grant.error', {}, await thrownBy(new GatehouseError('overloaded', 'Later.')));
    expect(logged.splice(0)).toEqual(['info: a protocol request was refused']);
    emitter.emit('grant.error', {}, await thrownBy(new StoreUnavailable('Redis', new Error('away'))));
    expect(logged).toEqual(['warn: a store could not be reached', 'info: a protocol request was refused']);
  });
});

test.each([undefined, null, 'ECONNRESET', new Error('ECONNRESET'), coded('ECONNREFUSED')])(
  '%p is no connection that was cut',
  (error) => {
    expect(isCut(error)).toBe(false);
  },
);

import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { type Listener, type ListenOptions, listen } from '../../provider/http/server.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { httpCall } from '../support/http-call.ts';

const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});

async function start(options: Partial<ListenOptions> = {}, app = new Koa()) {
  const listener = await listen(app, { port: 0, host: '127.0.0.1', ...options });
  open.push(listener);
  return { listener, origin: `http://127.0.0.1:${listener.port}` };
}

/** Sends only the given text. Returns everything that is received before the connection ends. */
async function answerTo(port: number, sent: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => {});
  socket.write(sent);
  await once(socket, 'close');
  return received;
}

const reading = () => {
  const app = new Koa();
  app.on('error', () => {});
  app.use(async (ctx) => {
    for await (const _ of ctx.req);
    ctx.body = 'read';
  });
  return app;
};

describe('listen', () => {
  const arrival = { headersMs: 100, wholeMs: 200, checkMs: 20 };

  const tooSlow = /^HTTP\/1\.1 408 .*"code":"request_timeout"/s;

  test('ends a request with incomplete headers', async () => {
    const { listener } = await start({ arrival });
    expect(await answerTo(listener.port, 'GET / HTTP/1.1\r\nHost: x\r\n')).toMatch(tooSlow);
  });

  test('ends a request with an incomplete body', async () => {
    const { listener, origin } = await start({ arrival }, reading());
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nslow';
    expect(await answerTo(listener.port, head)).toMatch(tooSlow);
    expect((await httpCall(origin, '/', { method: 'POST', body: 'quick' })).body).toBe('read');
  });

  test('keeps an unused connection open for 65 s, longer than a load balancer by default (60 s)', async () => {
    const { origin } = await start();
    const { headers } = await httpCall(origin, '/', { headers: { connection: 'keep-alive' } });
    expect(headers['keep-alive']).toBe('timeout=65');
  });

  test('does not wait for unused connections when it stops', async () => {
    const { listener, origin } = await start();
    const spare = connect(listener.port, '127.0.0.1');
    await once(spare, 'connect');
    // Connections are accepted in order. After this response the other connection is accepted.
    await httpCall(origin, '/');
    const gone = once(spare, 'close');
    await listener.close();
    await gone;
  });

  test('answers requests in progress when it closes, then ends their connections', async () => {
    const { listener, origin } = await start({}, reading());
    const call = request(origin, {
      method: 'POST',
      headers: { 'content-length': 4, connection: 'keep-alive', expect: '100-continue' },
    });
    const answered = once(call, 'response');
    call.flushHeaders();
    await once(call, 'continue');
    const closed = listener.close();
    await expect(httpCall(origin, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    call.end('rest');
    const [answer] = await answered;
    expect([answer.statusCode, answer.headers.connection]).toEqual([200, 'close']);
    answer.resume();
    await closed;
  });

  test('tells clients not to reuse connections as soon as the process is about to stop', async () => {
    const stopsSoon = new AbortController();
    const { origin } = await start({ stopsSoon: stopsSoon.signal });
    const connection = async () => {
      const { headers } = await httpCall(origin, '/', { headers: { connection: 'keep-alive' } });
      return headers.connection;
    };
    expect(await connection()).toBe('keep-alive');
    stopsSoon.abort();
    expect(await connection()).toBe('close');
  });

  test('reports a port in use with the name of the setting', async () => {
    const { listener } = await start();
    const again = listen(new Koa(), { port: listener.port, host: '127.0.0.1' });
    await expect(again).rejects.toThrow(ConfigurationError);
    await expect(again).rejects.toThrow(
      new RegExp(`127\\.0\\.0\\.1, port ${listener.port}: another program has it.*GATEHOUSE_PORT`),
    );
  });

  test('reports an address that does not belong to this machine', async () => {
    await expect(listen(new Koa(), { port: 0, host: '192.0.2.1' })).rejects.toThrow('no such address');
  });
});

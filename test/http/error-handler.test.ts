import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import Router from '@koa/router';
import type { Middleware } from 'koa';
import { createApp } from '../../provider/http/app.ts';
import { createErrorAnswers } from '../../provider/http/error-handler.ts';
import { requestNormaliser } from '../../provider/http/protocol.ts';
import { GatehouseError, StoreUnavailable } from '../../provider/lib/errors.ts';
import { runInRequestScope } from '../../provider/lib/request-scope.ts';
import { type CallOptions, httpCall } from '../support/http-call.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** Sends a request to an application in which this path has the given route. Returns the response and the log. */
async function answerOf(route: Middleware, path = '/account', options: CallOptions = {}) {
  const log: { level: string; fields: Record<string, unknown> }[] = [];
  const at = (level: string) => (fields: Record<string, unknown>) => void log.push({ level, fields });
  const scope = { requestId: 'req-1', clientAddress: undefined, userAgent: undefined };
  const app = createApp({
    inScope: (_request, _response, _route, work) => runInRequestScope(scope, work),
    normaliser: requestNormaliser('https://login.example.com'),
    limit: async () => {},
    plain: { '/auth/login': () => route({} as never, async () => {}) as Promise<void> },
    protocol: () => route({} as never, async () => {}) as Promise<void>,
    pages: [new Router().all('/account', route) as Router],
    answerError: createErrorAnswers({
      logger: { error: at('error'), warn: at('warn') },
      sendErrorPage: (ctx, { code, status }) => {
        ctx.status = status;
        ctx.type = 'html';
        ctx.body = `<p>${code}</p>`;
      },
    }),
    onError: () => {},
  });
  const server = createServer(app.callback());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ...(await httpCall(origin, path, options)), log };
}

const failing = (error: unknown): Middleware => {
  return () => Promise.reject(error);
};

describe('createErrorAnswers', () => {
  test('a GatehouseError becomes a problem document (RFC 9457)', async () => {
    const fields = [{ pointer: '/email', message: 'Give one.' }];
    const error = new GatehouseError('validation_failed', 'Look here.', { fields, cause: 'a secret' });
    const { status, headers, body, log } = await answerOf(failing(error));
    expect([status, headers['content-type']]).toEqual([400, 'application/problem+json']);
    expect(JSON.parse(body)).toEqual({
      type: 'urn:gatehouse:problem:validation_failed',
      title: 'validation failed',
      status: 400,
      detail: 'Look here.',
      code: 'validation_failed',
      requestId: 'req-1',
      errors: fields,
    });
    expect(log).toEqual([]);
  });

  test.each([new Error('the password is hunter2'), new TypeError('x'), 'a text', undefined, { status: 418 }])(
    'the response shows no details of an unexpected error (%p)',
    async (error) => {
      const { status, body, log } = await answerOf(failing(error));
      expect([status, JSON.parse(body).code]).toEqual([500, 'internal_error']);
      expect(body).not.toContain('hunter2');
      expect(log).toEqual([{ level: 'error', fields: { err: error } }]);
    },
  );

  test('client errors of koa keep their kind; other errors of koa become internal_error', async () => {
    const refused: Middleware = (ctx) => ctx.throw(413, 'too much');
    expect((await answerOf(refused)).status).toBe(413);
    const odd = await answerOf((ctx) => ctx.throw(400, 'odd'));
    expect([odd.status, JSON.parse(odd.body).code]).toEqual([400, 'invalid_request']);
    const hidden = await answerOf((ctx) => ctx.throw(502, 'behind us'));
    expect([hidden.status, JSON.parse(hidden.body).code]).toEqual([500, 'internal_error']);
  });

  test('an unreachable store is logged as a warning with its reason, and answered with Retry-After', async () => {
    const cause = new Error('ECONNREFUSED');
    const { status, headers, log } = await answerOf(failing(new StoreUnavailable('redis', cause)));
    expect([status, headers['retry-after']]).toEqual([503, '2']);
    expect(log).toEqual([{ level: 'warn', fields: { err: cause } }]);
  });

  test('a browser gets a page, but never below /auth/', async () => {
    const refused = failing(new GatehouseError('not_found', 'Not here.'));
    const headers = { accept: 'text/html,*/*;q=0.8' };
    const page = await answerOf(refused, '/account', { headers });
    expect([page.status, page.body]).toEqual([404, '<p>not_found</p>']);
    expect((await answerOf(refused, '/auth/login', { method: 'POST', headers })).body).toContain(
      '"not_found"',
    );
    expect((await answerOf(refused, '/account', { headers: { accept: '*/*' } })).body).toContain(
      '"not_found"',
    );
  });

  test('a request without a route gets not_found; a 404 response with a body is not changed', async () => {
    expect(JSON.parse((await answerOf(() => {})).body)).toMatchObject({ code: 'not_found', status: 404 });
    const own = await answerOf((ctx) => {
      ctx.status = 404;
      ctx.body = 'words';
    });
    expect([own.status, own.body]).toEqual([404, 'words']);
  });

  test.each([405, 501])('a wrong method (%i) gets a response with the allowed methods', async (told) => {
    const { status, headers, body } = await answerOf((ctx) => {
      ctx.status = told;
      ctx.set('Allow', 'GET, HEAD');
    });
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(JSON.parse(body)).toMatchObject({ code: 'method_not_allowed', detail: 'Use GET, HEAD here.' });
  });

  const challenges: [code: 'invalid_token' | 'insufficient_scope', sent: string, told: string][] = [
    ['invalid_token', '', 'Bearer'],
    ['invalid_token', 'Basic YTpi', 'Bearer'],
    ['invalid_token', 'Bearerx y', 'Bearer'],
    ['invalid_token', 'Bearer x', 'Bearer error="invalid_token", error_description="Why."'],
    ['insufficient_scope', 'Bearer x', 'Bearer error="insufficient_scope", error_description="Why."'],
  ];
  test.each(challenges)(
    '%s for the credentials %j gets the challenge %s (RFC 6750 §3)',
    async (code, sent, told) => {
      const headers = sent === '' ? {} : { authorization: sent };
      const answer = await answerOf(failing(new GatehouseError(code, 'Why.')), '/account', { headers });
      expect(answer.headers['www-authenticate']).toBe(told);
    },
  );

  test('the challenge names what is missing', async () => {
    const error = new GatehouseError('insufficient_scope', 'Why.', { challenge: { scope: 'a b' } });
    const headers = { authorization: 'bearer x' };
    expect((await answerOf(failing(error), '/account', { headers })).headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", error_description="Why.", scope="a b"',
    );
  });

  test('the connection closes after a body that is too large, and the rest is not read', async () => {
    const answer = await answerOf(failing(new GatehouseError('payload_too_large', 'Send less.')));
    expect([answer.status, answer.headers.connection]).toEqual([413, 'close']);
  });

  test('a response that has started is not changed', async () => {
    const { status, body } = await answerOf((ctx) => {
      ctx.respond = false;
      ctx.res.writeHead(200);
      ctx.res.end('begun');
      throw new Error('too late');
    });
    expect([status, body]).toEqual([200, 'begun']);
  });
});

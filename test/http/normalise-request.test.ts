import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import Koa from 'koa';
import { requestNormaliser } from '../../provider/http/protocol.ts';
import { runInRequestScope } from '../../provider/lib/request-scope.ts';
import { httpCall } from '../support/http-call.ts';

interface Seen {
  url: string;
  path: string;
  originalUrl: string;
  headers: Record<string, string | undefined>;
}

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** Starts an application that returns the request as it is after the middleware. */
async function behind(issuer: string, known: { address?: string } = { address: '198.51.100.7' }) {
  const app = new Koa();
  app.use(async (ctx, next) => {
    await next().catch((error: { code: string; status: number }) => {
      ctx.status = error.status;
      ctx.body = { refused: error.code };
    });
  });
  app.use((_ctx, next) =>
    runInRequestScope({ requestId: 'r', clientAddress: known.address, userAgent: undefined }, next),
  );
  const { normalise } = requestNormaliser(issuer);
  app.use(({ req }, next) => {
    normalise(req);
    return next();
  });
  app.use((ctx) => {
    const { url, headers, originalUrl } = ctx.req as typeof ctx.req & { originalUrl?: string };
    ctx.body = { url, path: ctx.path, originalUrl, headers };
  });
  const server = createServer(app.callback());
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async (target: string, headers: Record<string, string> = {}) => {
    const answer = await httpCall(origin, target, { headers });
    return { status: answer.status, seen: JSON.parse(answer.body) as Seen & { refused?: string } };
  };
}

describe('requestNormaliser', () => {
  test('headers for host, protocol and address are replaced by known values', async () => {
    const ask = await behind('https://login.example.com');
    const { seen } = await ask('/a', {
      host: 'evil.example',
      forwarded: 'for=203.0.113.66;host=evil.example',
      'x-forwarded-for': '203.0.113.66',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '666',
    });
    const named = Object.entries(seen.headers).filter(([name]) => /forwarded|host/.test(name));
    expect(Object.fromEntries(named)).toEqual({
      host: 'login.example.com',
      'x-forwarded-host': 'login.example.com',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '198.51.100.7',
    });
  });

  test('the address header is removed if the address is unknown', async () => {
    const ask = await behind('http://localhost:3000', {});
    const { seen } = await ask('/a', { 'x-forwarded-for': '203.0.113.66' });
    expect(seen.headers['x-forwarded-for']).toBeUndefined();
  });

  test('the port is part of the host', async () => {
    const { seen } = await (await behind('http://localhost:3000'))('/a', { host: 'x' });
    expect(seen.headers).toMatchObject({ host: 'localhost:3000', 'x-forwarded-proto': 'http' });
  });

  test.each(['http://evil.example/a', 'https://login.example.com/a', '*'])(
    'the request target %s is refused',
    async (target) => {
      const ask = await behind('https://login.example.com');
      expect(await ask(target)).toMatchObject({ status: 400, seen: { refused: 'invalid_request' } });
    },
  );

  const cut: [target: string, path: string][] = [
    ['/id/oauth2/token?a=/id/b', '/oauth2/token'],
    ['/id/', '/'],
    ['/id', '/'],
    ['/oauth2/token', '/oauth2/token'],
    ['/idx/oauth2/token', '/idx/oauth2/token'],
    ['/id/id/a', '/id/a'],
    ['/ID/a', '/ID/a'],
  ];
  test.each(cut)("with the issuer's path /id, %s is served as %s", async (target, path) => {
    const { seen } = await (await behind('https://login.example.com/id'))(target);
    expect(seen.path).toBe(path);
    // The library needs the full path, also if a gateway has removed the path of the issuer.
    const isBelow = target === '/id' || target.startsWith('/id/') || target.startsWith('/id?');
    expect(seen.originalUrl).toBe(isBelow ? target : `/id${target}`);
  });

  test('a query right after the path is kept', async () => {
    const { seen } = await (await behind('https://login.example.com/id'))('/id?a=b');
    expect(seen.url).toBe('/?a=b');
  });

  test('an issuer without a path removes nothing from the URL', async () => {
    const { seen } = await (await behind('https://login.example.com'))('/id/a?b');
    expect([seen.url, seen.originalUrl]).toEqual(['/id/a?b', undefined]);
  });
});

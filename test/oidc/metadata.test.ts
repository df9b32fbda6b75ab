import '../../provider/oidc/runtime-notice.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { Provider } from 'oidc-provider';
import { discoveryOf } from '../../provider/oidc/patches/internals.ts';
import { createMetadata } from '../../provider/oidc/provider-factory.ts';
import { httpCall } from '../support/http-call.ts';

const featuresOff = { features: { devInteractions: { enabled: false } } };

/** Gives what the library's own route answers. */
async function ownAnswer(provider: Provider): Promise<object> {
  const { host, pathname } = new URL(provider.issuer);
  provider.proxy = true;
  const handle = provider.callback();
  const server = createServer((request, response) => {
    const prefix = pathname === '/' ? '' : pathname;
    Object.assign(request, { originalUrl: `${prefix}${request.url}` });
    Object.assign(request.headers, { host, 'x-forwarded-host': host, 'x-forwarded-proto': 'https' });
    void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { body } = await httpCall(origin, '/.well-known/openid-configuration', {});
  await new Promise((resolve) => server.close(resolve));
  return JSON.parse(body) as object;
}

test.each(['https://login.example.com', 'https://login.example.com/id'])(
  'the metadata of %s is what the library’s own route answers, member for member',
  async (issuer) => {
    const provider = new Provider(issuer, featuresOff);
    const metadata = discoveryOf(provider);
    expect(JSON.parse(JSON.stringify(metadata))).toEqual(await ownAnswer(provider));
    expect(metadata).toMatchObject({ token_endpoint: `${issuer}/token`, issuer });
  },
);

test('the metadata also lists the scopes of APIs, and its ETag follows its text', () => {
  const provider = new Provider('https://login.example.com', featuresOff);
  const own = createMetadata(() => provider, [])();
  const more = createMetadata(() => provider, ['orders:read'])();
  expect((JSON.parse(more.json) as { scopes_supported: string[] }).scopes_supported).toEqual([
    ...(JSON.parse(own.json) as { scopes_supported: string[] }).scopes_supported,
    'orders:read',
  ]);
  expect(own.etag).toMatch(/^"[\w-]{22}"$/);
  expect(more.etag).not.toBe(own.etag);
});

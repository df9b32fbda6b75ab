import '../../provider/oidc/runtime-notice.ts';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { Provider } from 'oidc-provider';
import '../../provider/oidc/patches/table.ts';

const featuresOff = { features: { devInteractions: { enabled: false } } };

/** Sends a request for the metadata through the library. Returns what its middleware saw of the context. */
async function contextOf(provider: Provider) {
  const request = Object.assign(new IncomingMessage(new Socket()), {
    method: 'GET',
    url: '/.well-known/openid-configuration',
    headers: { host: 'login.example.com' },
  });
  let seen: PropertyDescriptor | undefined;
  let current: unknown;
  provider.use(async (ctx, next) => {
    await next();
    seen = Object.getOwnPropertyDescriptor(ctx, 'oidc');
  });
  // The action of the route reads this while it runs.
  Object.defineProperty(provider.OIDCContext.prototype, 'issuer', {
    get: () => {
      current = Provider.ctx?.oidc.route;
      return provider.issuer;
    },
  });
  await provider.callback()(request, new ServerResponse(request));
  return { seen, current };
}

test('the context that the library makes for a request is a value and no accessor, which would keep the request in memory', async () => {
  const provider = new Provider('https://login.example.com', featuresOff);
  const { seen, current } = await contextOf(provider);
  expect(seen?.value).toBeInstanceOf(provider.OIDCContext);
  expect(seen?.get).toBeUndefined();
  expect(current).toBe('discovery');
});

// This import must come before the library, which would warn about Node 20.
import '../../provider/oidc/runtime-notice.ts';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClientMetadata, type JWK, Provider, type ResourceServer } from 'oidc-provider';
import { freePort } from '../support/free-port.ts';
import { stockApp } from './stock-app.ts';
import { createStockStore } from './stock-store.ts';

/**
 * Starts the unchanged oidc-provider with a store in memory and its own pages. It is configured to issue the same tokens as
 * Gatehouse: a JWT access token, an id token, and a refresh token that rotates. Returns its port.
 */
export async function startStockProvider(): Promise<number> {
  const port = await freePort();
  const provider = new Provider(`http://localhost:${port}`, {
    adapter: createStockStore() as never,
    clients: [client()],
    jwks: { keys: [{ ...signingKey(), kid: 'a-key', alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['for-tests-only'] },
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => stockApp.resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => api,
      },
    },
    rotateRefreshToken: true,
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  const server = createServer(provider.callback()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const api: ResourceServer = {
  scope: 'read',
  audience: stockApp.resource,
  accessTokenTTL: 900,
  accessTokenFormat: 'jwt',
  jwt: { sign: { alg: 'RS256' } },
};

const client = (): ClientMetadata => ({
  client_id: stockApp.id,
  client_secret: stockApp.secret,
  redirect_uris: [stockApp.redirectUri],
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
});

const signingKey = (): JWK =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as JWK;

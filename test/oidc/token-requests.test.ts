import '../../provider/oidc/runtime-notice.ts';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { clientOf } from '../../provider/oidc/current-request.ts';
import { createTokenRequests } from '../../provider/oidc/tokens/token-requests.ts';

const gone = { error: 'invalid_client' };

test('a request of a client that was removed after authentication gets the protocol error', async () => {
  const provider = { Client: { find: async () => undefined } } as unknown as Provider;
  const handled: unknown[] = [];
  const grant = {
    name: 'refresh_token',
    parameters: [],
    handler: () => async () => void handled.push('a request'),
  };
  const request = new IncomingMessage(new Socket());
  const requests = createTokenRequests(() => provider, [grant]);
  const redeemed = requests.redeem(request, new ServerResponse(request), 'gone', 'refresh_token', {});
  await expect(redeemed).rejects.toMatchObject(gone);
  expect(handled).toEqual([]);
});

test('a request of a client that was removed before authentication gets the protocol error', () => {
  const ctx = { oidc: {} } as KoaContextWithOIDC;
  expect(() => clientOf(ctx)).toThrow(expect.objectContaining(gone));
});

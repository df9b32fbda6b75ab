import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { type JsonApiDeps, jsonApiEndpoints, type VerifiedToken } from '../../provider/json-api/endpoints.ts';
import type { Account } from '../../provider/ports/account-store.ts';

const grants = ['password' as const, 'refresh_token' as const];
const clients: Record<string, ReturnType<JsonApiDeps['client']>> = {
  own: { enabled: true, firstParty: true, auth: 'none', grants },
  backend: { enabled: true, firstParty: true, auth: 'client_secret_basic', grants },
  theirs: { enabled: true, firstParty: false, auth: 'none', grants },
};

/** The endpoints with dependencies that record their calls. */
function endpoints(changes: Partial<JsonApiDeps> = {}) {
  const asked: unknown[][] = [];
  const table = jsonApiEndpoints({
    redeem: async (_request, _response, ...rest) => {
      asked.push(rest);
      return { access_token: 'at', token_type: 'Bearer', refresh_token: 'rt', expires_in: 900 };
    },
    client: (id) => (Object.hasOwn(clients, id) ? clients[id] : undefined),
    defaultClientId: 'own',
    verifyAccessToken: async () => undefined,
    account: async () => ({ id: 'user_1' }) as Account,
    confirmAddress: async (...rest) => void asked.push(rest),
    endFamilyOf: async (...rest) => void asked.push(rest),
    ...changes,
  });
  const call = (path: string, body: unknown, bearer = '') => {
    const found = table.find((each) => each.path === path);
    if (!found) throw new Error(`no endpoint ${path}`);
    const request = {} as IncomingMessage;
    return found.handle({ request, response: {} as ServerResponse, body, bearer });
  };
  return { asked, call };
}

const credentials = { email: 'a@example.com', password: 'secret' };

describe('the client of a JSON API request', () => {
  test('is the named client or the default client', async () => {
    const { asked, call } = endpoints();
    await call('/auth/login', credentials);
    await call('/auth/refresh', { refreshToken: 'r', clientId: 'own' });
    await call('/auth/logout', { refreshToken: 'r' });
    expect(asked).toEqual([
      ['own', 'password', { username: 'a@example.com', password: 'secret' }],
      ['own', 'refresh_token', { refresh_token: 'r' }],
      ['own', 'r'],
    ]);
  });

  test.each(['backend', 'theirs', 'nobody', 'constructor'])('cannot be %s', async (clientId) => {
    for (const defaultClientId of ['own', undefined]) {
      const { asked, call } = endpoints({ defaultClientId });
      for (const [path, body] of [
        ['/auth/login', credentials],
        ['/auth/refresh', { refreshToken: 'r' }],
        ['/auth/logout', { refreshToken: 'r' }],
      ] as const) {
        const refused = call(path, { ...body, clientId });
        await expect(refused).rejects.toMatchObject({ code: 'client_not_allowed' });
      }
      expect(asked).toEqual([]);
    }
  });

  test.each([undefined, 'backend', 'theirs'])(
    'causes an error with the missing setting if there is no usable default (%s)',
    async (id) => {
      const { call } = endpoints({ defaultClientId: id });
      await expect(call('/auth/login', credentials)).rejects.toThrow('GATEHOUSE_DEFAULT_CLIENT');
    },
  );
});

describe('/auth/login', () => {
  test.each([{ email: '' }, { password: '' }])(
    'refuses the body %j before it checks a password',
    async (empty) => {
      const { asked, call } = endpoints();
      const refused = call('/auth/login', { ...credentials, ...empty });
      await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials' });
      expect(asked).toEqual([]);
    },
  );
});

describe('/auth/register', () => {
  test('is refused if sign-up is off', async () => {
    const refused = endpoints().call('/auth/register', credentials);
    await expect(refused).rejects.toMatchObject({ code: 'signup_disabled' });
  });
});

describe('/user/profile', () => {
  const token: VerifiedToken = { sub: 'user_1', client_id: 'own', scope: 'openid profile' };
  const ask = (verified: VerifiedToken | undefined, changes: Partial<JsonApiDeps> = {}) =>
    endpoints({ verifyAccessToken: async () => verified, ...changes }).call('/user/profile', undefined, 't');

  test('returns the claims of the token, and no more', async () => {
    expect(await ask(token)).toEqual({ id: 'user_1' });
    const full = { email: 'a@example.com', email_verified: false, roles: ['R'], permissions: ['p'] };
    expect(await ask({ ...token, ...full })).toEqual({
      id: 'user_1',
      email: 'a@example.com',
      emailVerified: false,
      roles: ['R'],
      permissions: ['p'],
    });
  });

  test.each(['openid', 'profiles', 'Profile', '', undefined])(
    'refuses the scope %j as insufficient',
    async (scope) => {
      await expect(ask({ ...token, scope })).rejects.toMatchObject({ code: 'insufficient_scope' });
    },
  );

  test('refuses an invalid token, and a token without an account', async () => {
    await expect(ask(undefined)).rejects.toMatchObject({ code: 'invalid_token' });
    const nobody = { account: async () => undefined };
    await expect(ask(token, nobody)).rejects.toMatchObject({ code: 'invalid_token' });
  });
});

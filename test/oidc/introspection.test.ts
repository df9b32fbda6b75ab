import '../../provider/oidc/runtime-notice.ts';
import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { clientDocumentSchema } from '../../provider/clients/client-document.ts';
import { createIntrospection } from '../../provider/oidc/tokens/introspection.ts';

// That both give the same answers is in test/flows/introspection.test.ts.

const claims = { sub: 'app', client_id: 'app', iss: 'i', aud: 'a', jti: 'j', iat: 1, exp: 2 };
let counted: string[] = [];
const introspect = createIntrospection({
  issuer: 'i',
  clients: {
    find: (id) =>
      ['app', 'spa', 'registered'].includes(id)
        ? clientDocumentSchema.parse({
            id,
            name: id,
            ...(id === 'spa' ? { auth: 'none' } : {}),
          })
        : undefined,
    mayBeThirdParty: (id) => id === 'registered',
    secretMatches: (_id, secret) => secret === 'right',
  },
  rateLimits: {
    clientSecret: async (id, matches) => {
      counted.push(id);
      return matches();
    },
  },
  accessTokens: { verify: async (token) => (token === 'a.b.c' ? claims : undefined) },
  grants: { isInForce: async () => true },
});

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const ask = (form: string, headers: Record<string, string> = { authorization: basic('app:right') }) => {
  counted = [];
  return introspect({ headers } as unknown as IncomingMessage, Buffer.from(form));
};

test('a JWT from a client with a right secret is answered without the library', async () => {
  expect(await ask('token=a.b.c')).toMatchObject({ active: true, client_id: 'app' });
  expect(await ask('token=x.y.z&token_type_hint=access_token')).toEqual({ active: false });
  expect(await ask('token=a.b.c&client_id=app&client_secret=right', {})).toMatchObject({ active: true });
});

test.each<[string, string, Record<string, string> | undefined]>([
  ['a token that is no JWT', 'token=fam_x.secret', undefined],
  ['no token', '', undefined],
  ['an unknown parameter', 'token=a.b.c&more=x', undefined],
  ['a parameter that is sent twice', 'token=a.b.c&token=x.y.z', undefined],
  ['an assertion', 'token=a.b.c&client_assertion=x', {}],
  ['no authentication', 'token=a.b.c&client_id=app', {}],
  ['two ways to authenticate', 'token=a.b.c&client_id=app&client_secret=right', undefined],
  ['another scheme', 'token=a.b.c', { authorization: 'Bearer right' }],
  ['credentials that are encoded', 'token=a.b.c', { authorization: basic('app:ri%67ht') }],
  ['an unknown client', 'token=a.b.c', { authorization: basic('other:right') }],
  ['a client without a secret', 'token=a.b.c', { authorization: basic('spa:right') }],
  ['a client that registered itself', 'token=a.b.c', { authorization: basic('registered:right') }],
  ['a browser', 'token=a.b.c', { authorization: basic('app:right'), origin: 'https://app.example' }],
])('the library answers about %s, and no secret was compared', async (_, form, headers) => {
  expect(await ask(form, headers)).toBeUndefined();
  expect(counted).toEqual([]);
});

test('the library answers after a wrong secret, which was counted', async () => {
  expect(await ask('token=a.b.c', { authorization: basic('app:wrong') })).toBeUndefined();
  expect(counted).toEqual(['app']);
});

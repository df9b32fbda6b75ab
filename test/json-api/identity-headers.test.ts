import { validateHeaderValue } from 'node:http';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Identity, identityHeaderNames, identityHeaders } from '../../provider/json-api/verify.ts';

const machine: Identity = { sub: 'service', client_id: 'service', aud: 'https://api.example.com' };

test('every header is present, even without a value', () => {
  const headers = identityHeaders(machine, 'checked');
  expect(Object.keys(headers)).toEqual(Object.keys(identityHeaderNames));
  expect(headers).toEqual({
    'X-Auth-Subject': 'service',
    'X-Auth-Client': 'service',
    'X-Auth-Audience': 'https://api.example.com',
    'X-Auth-Scope': '',
    'X-Auth-Email': '',
    'X-Auth-Email-Verified': '',
    'X-Auth-Roles': '',
    'X-Auth-Permissions': '',
    'X-Auth-Revocation': 'checked',
  });
});

test('the headers contain the claims of the token about a person', () => {
  const person: Identity = {
    ...machine,
    sub: 'user_1',
    client_id: 'web',
    scope: 'openid contracts:read',
    email: 'ann@example.com',
    email_verified: false,
    roles: ['CLIENT', 'ADMIN'],
    permissions: ['contracts:read', '100%'],
  };
  expect(identityHeaders(person, 'unchecked')).toMatchObject({
    'X-Auth-Subject': 'user_1',
    'X-Auth-Scope': 'openid contracts:read',
    'X-Auth-Email': 'ann@example.com',
    'X-Auth-Email-Verified': 'false',
    'X-Auth-Roles': 'CLIENT ADMIN',
    'X-Auth-Permissions': 'contracts:read 100%25',
    'X-Auth-Revocation': 'unchecked',
  });
});

test('any text can be encoded into a header and decoded again', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  fc.assert(
    fc.property(text, fc.array(text), (email, roles) => {
      const headers = identityHeaders({ ...machine, email, roles }, 'checked');
      for (const [name, value] of Object.entries(headers)) {
        expect(() => validateHeaderValue(name, value)).not.toThrow();
        expect(value).toMatch(/^[\x20-\x7e]*$/);
      }
      expect(decodeURIComponent(headers['X-Auth-Email'])).toBe(email);
      const listed = roles.length === 0 ? [] : headers['X-Auth-Roles'].split(' ').map(decodeURIComponent);
      expect(listed).toEqual(roles);
    }),
  );
});

test.each([
  ['a\r\nX-Auth-Roles: ADMIN', 'a%0D%0AX-Auth-Roles:%20ADMIN'],
  ['jürgen@bücher.example', 'j%C3%BCrgen@b%C3%BCcher.example'],
  [' a ', '%20a%20'],
  ['\ud800', '%EF%BF%BD'],
])('%j is encoded as %s', (email, told) => {
  expect(identityHeaders({ ...machine, email }, 'checked')['X-Auth-Email']).toBe(told);
});

import { type BadInput, form, page, sentinel, toPerson } from './row.ts';
import type { World } from './world.ts';

const noForm = toPerson(415, 'unsupported_media_type', /Send a form/);
const badRequest = (says: RegExp) => toPerson(400, 'invalid_request', says);
const encoded = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const outdated = toPerson(400, 'invalid_request', /out of date/);
const confirm =
  (fields: Record<string, string> | string, headers: Record<string, string> = {}) =>
  (world: World) =>
    form('/oauth2/logout/confirm', fields, { Accept: 'text/html', Cookie: world.cookie(), ...headers });
const logout = (query: string) => (world: World) =>
  page(`/oauth2/logout?${query}`, { Cookie: world.cookie() });
const nullToken = `${Buffer.from('null').toString('base64url')}.${Buffer.from('null').toString('base64url')}.x`;

/** Sign-outs with a forged confirmation or with invalid parameters. */
export const logoutRequests: BadInput[] = [
  { name: 'logout confirmed with nothing', send: confirm(''), expected: outdated },
  {
    name: 'logout confirmed with a made-up token',
    send: confirm({ xsrf: sentinel, logout: 'yes' }),
    expected: outdated,
  },
  {
    name: 'logout confirmed without a session',
    send: confirm({ xsrf: 'x' }, { Cookie: '' }),
    expected: outdated,
  },
  {
    name: 'logout confirmed by 1 MiB',
    send: confirm({ xsrf: 'x'.repeat(1 << 20) }),
    expected: toPerson(413, 'payload_too_large', /at most 56 KiB/),
  },
  {
    name: 'logout confirmed by JSON',
    send: confirm('{}', { 'Content-Type': 'application/json' }),
    expected: noForm,
  },
  ...[sentinel, 'a.b.c', nullToken, '\0'].map((hint) => ({
    name: `logout with the hint ${JSON.stringify(hint).slice(0, 30)}`,
    send: logout(encoded({ id_token_hint: hint })),
    expected: badRequest(/id_token_hint/),
  })),
  ...['nobody', '__proto__', '\0'].map((client_id) => ({
    name: `logout for the client ${JSON.stringify(client_id)}`,
    send: logout(encoded({ client_id })),
    expected: toPerson(400, 'invalid_client', /client is invalid/),
  })),
  {
    name: 'logout with a state twice',
    send: logout('state=a&state=b'),
    expected: badRequest(/must not be provided twice/),
  },
  {
    name: "logout to an address that isn't the app's",
    send: logout(encoded({ client_id: 'exact', post_logout_redirect_uri: 'https://evil.example' })),
    expected: badRequest(/post_logout_redirect_uri/),
  },
  {
    name: 'the last page of a logout for an unknown client',
    send: page('/oauth2/logout/success?client_id=%00'),
    expected: toPerson(400, 'invalid_client', /./),
  },
];

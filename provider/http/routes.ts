import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AllowOriginDeps, allowOrigin } from '../json-api/routes.ts';
import { GatehouseError } from '../lib/errors.ts';
import { associationPaths } from './app-associations.ts';
import {
  api,
  type CountedRoute,
  document,
  form,
  gateway,
  get,
  library,
  libraryForm,
  libraryPage,
  mailGuard,
  own,
  page,
  post,
  preflight,
  programs,
  published,
  type Route,
  redirected,
  short,
  shortOfDevice,
  signInGuard,
  unread,
} from './route-rows.ts';

/**
 * The HTTP layer of the public listener. This folder reads requests, writes headers, and turns errors into responses. It
 * contains no rule about accounts, clients or tokens.
 *
 * This file is the table of all public endpoints. Metrics, logs, rate limits, the error format and the method check of the
 * protocol's endpoints use it. `test/http/routes.test.ts` compares it with the endpoints that are really served.
 */

const registered = { label: '/oauth2/register/:client', kind: 'protocol', cors: 'any' } as const;

/** Clients register themselves (RFC 7591) and manage that (RFC 7592). Without GATEHOUSE_REGISTRATION, nothing is there. */
const registration: readonly Route[] = [
  own({
    label: '/oauth2/register',
    methods: post,
    kind: 'protocol',
    limit: 'register',
    body: 'configured',
    cors: 'any',
  }),
  own({
    label: '/oauth2/register',
    methods: ['OPTIONS'],
    kind: 'protocol',
    limit: preflight,
    body: 'unread',
    cors: 'any',
  }),
  own({ ...registered, methods: [...get, 'DELETE'], limit: 'token', body: 'unread' }),
  own({ ...registered, methods: ['PUT'], limit: 'token', body: 'configured' }),
  own({ ...registered, methods: ['OPTIONS'], limit: preflight, body: 'unread' }),
];

/** Every public endpoint, one row for each endpoint and set of methods. */
export const table: readonly Route[] = [
  own({ label: '/', methods: get, kind: 'page', limit: document, body: 'unread', cors: 'none' }),
  published('/.well-known/openid-configuration', 'any', [...get, 'OPTIONS']),
  published('/.well-known/oauth-authorization-server', 'any', [...get, 'OPTIONS']),
  published('/.well-known/jwks.json', 'any', [...get, 'OPTIONS']),
  published('/openapi.json', 'any', [...get, 'OPTIONS']),
  ...associationPaths.map((path) => published(path, 'any', [...get, 'OPTIONS'])),
  published('/assets/:file', 'none'),

  short(libraryPage('/oauth2/authorize', 'authorize')),
  short(libraryForm('/oauth2/authorize', redirected, 'query')),
  libraryPage('/oauth2/authorize/:uid', 'step'),
  ...programs('/oauth2/token', 'token'),
  library({
    label: '/oauth2/userinfo',
    methods: ['GET'],
    kind: 'protocol',
    limit: 'userinfo',
    body: 'unread',
    cors: 'registered',
  }),
  ...programs('/oauth2/userinfo', 'userinfo'),
  ...programs('/oauth2/introspect', 'introspect'),
  ...programs('/oauth2/revoke', 'token'),
  ...programs('/oauth2/par', 'token').map(short),
  ...programs('/oauth2/device', 'token', 'deviceFlow').map(shortOfDevice),
  ...registration,
  libraryPage('/device', 'device-page', 'deviceFlow'),
  library({
    label: '/device',
    methods: post,
    kind: 'page',
    limit: 'device-page',
    body: 'library',
    cors: 'none',
    feature: 'deviceFlow',
  }),
  libraryPage('/device/:uid', 'device-page', 'deviceFlow'),
  short(libraryPage('/oauth2/logout', 'logout')),
  short(libraryForm('/oauth2/logout', redirected, 'query')),
  libraryForm('/oauth2/logout/confirm', 'logout', 'library'),
  libraryPage('/oauth2/logout/success', 'logout'),

  page('/interaction/:uid', 'step'),
  page('/interaction/:uid/sign-in', 'step'),
  form('/interaction/:uid/sign-in', signInGuard),
  page('/interaction/:uid/recovered', 'step'),
  page('/interaction/:uid/sign-up', 'step'),
  form('/interaction/:uid/sign-up', signInGuard),
  page('/interaction/:uid/confirm', 'step'),
  form('/interaction/:uid/confirm', 'step'),
  page('/interaction/:uid/second-factor', 'step'),
  form('/interaction/:uid/second-factor', signInGuard),
  page('/interaction/:uid/passkey', 'step'),
  form('/interaction/:uid/passkey', signInGuard),
  page('/interaction/:uid/cancel', 'step'),
  form('/interaction/:uid/cancel', 'step'),
  page('/interaction/:uid/consent', 'step'),
  form('/interaction/:uid/consent', 'step'),

  page('/recover', 'step'),
  form('/recover', mailGuard),
  page('/recover/code', 'step'),
  form('/recover/code', 'step'),
  page('/recover/password', 'step'),
  form('/recover/password', 'step'),
  page('/recover/done', 'step'),
  page('/sign-up/confirm', 'step'),
  form('/sign-up/confirm', 'step'),
  page('/invitation', 'step'),
  form('/invitation', 'step'),

  page('/account', 'account'),
  page('/account/signed-in', 'account'),
  page('/account/signed-out', 'account'),
  page('/account/end', 'account'),
  form('/account/end', 'account'),
  page('/account/sign-out-everywhere', 'account'),
  form('/account/sign-out-everywhere', 'account'),
  page('/account/withdraw', 'account'),
  form('/account/withdraw', 'account'),
  page('/account/password', 'account'),
  form('/account/password', signInGuard),
  page('/account/second-factor', 'account'),
  form('/account/second-factor', signInGuard),
  page('/account/authenticator', 'account'),
  form('/account/authenticator', 'account'),
  page('/account/address', 'account'),
  form('/account/address', signInGuard),
  page('/account/address-code', 'account'),
  form('/account/address-code', 'account'),
  page('/account/address/confirm', 'account'),
  form('/account/address/confirm', 'account'),
  page('/account/address/undo', 'account'),
  form('/account/address/undo', 'account'),
  page('/account/passkeys', 'account'),
  form('/account/passkeys', 'account'),

  ...api('POST', '/auth/login', signInGuard),
  ...api('POST', '/auth/login/second-factor', signInGuard),
  ...api('POST', '/auth/refresh', 'refresh'),
  ...api('POST', '/auth/logout', 'token'),
  ...api('POST', '/auth/register', signInGuard),
  ...api('POST', '/auth/recover', mailGuard),
  ...api('POST', '/auth/recover/password', 'step'),
  ...api('POST', '/auth/register/confirm', 'step'),
  ...api('POST', '/auth/login/passkey', signInGuard),
  ...api('POST', '/auth/passkey/options', 'token'),
  ...api('POST', '/auth/passkey/login', signInGuard),
  ...api('GET', '/user/profile', 'userinfo'),
  ...api('POST', '/user/passkeys/options', 'userinfo').map(unread),
  ...api('POST', '/user/passkeys', 'userinfo'),
  own({
    label: '/auth/verify',
    // Gateways append their own parameters, and often also the path of the request that they check.
    pattern: /^\/auth\/verify(?=[;/]|$)/,
    methods: ['*'],
    kind: 'api',
    limit: gateway,
    body: 'unread',
    cors: 'none',
  }),
];

/** What the table says about a request. */
export interface Matched {
  label: string;
  /** The row for this path and method. */
  route: Route | undefined;
  /** All rows for this path, whatever the method. Empty where the path is unknown. */
  rows: readonly Route[];
}

const unknown: Matched = { label: 'unknown', route: undefined, rows: [] };

const rowsOf = new Map<string, Route[]>();
for (const route of table) rowsOf.set(route.label, [...(rowsOf.get(route.label) ?? []), route]);

/** The labels that need a regular expression; all others are compared as they are. */
const patterns = [...rowsOf.values()].flatMap((rows) => {
  const [{ label, pattern } = { label: '' }] = rows;
  if (pattern) return [{ pattern, rows }];
  return label.includes(':') ? [{ pattern: new RegExp(`^${label.replace(/:\w+/g, '[^/]+')}$`), rows }] : [];
});

/**
 * Finds the rows for a request. Its path must match exactly: any other spelling of it is unknown.
 * @param target the path, with or without a query (RFC 9112 §3.2.1)
 */
export function matchRoute(method: string, target: string): Matched {
  const path = /^[^?#]*/.exec(target)?.[0] ?? '';
  const exact = path.includes(':') ? undefined : rowsOf.get(path);
  const rows = exact ?? patterns.find(({ pattern }) => pattern.test(path))?.rows;
  if (rows?.[0] === undefined) return unknown;
  const route = rows.find(({ methods }) => methods.includes(method) || methods.includes('*'));
  return { label: rows[0].label, route, rows };
}

/** The error for a path that nothing serves. */
export const nothingThere = () => new GatehouseError('not_found', 'There is nothing at this address.');

/** Serves a request. It rejects, with nothing sent, where an error must be answered. */
export type Serve = (request: IncomingMessage, response: ServerResponse, matched: Matched) => Promise<void>;

export interface LimitRequestsDeps extends AllowOriginDeps {
  /** Counts a request of this client address; throws `too_many_requests`. */
  count(action: CountedRoute): Promise<void>;
}

/** Counts requests by the table's limit, before a body or a store is read. */
export function limitRequests(deps: LimitRequestsDeps): Serve {
  return async (request, response, { route }) => {
    if (typeof route?.limit !== 'string') return;
    try {
      await deps.count(route.limit);
    } catch (error) {
      // Without these headers a browser does not let the calling page read the error response.
      if (route.cors === 'registered' && allowOrigin(request, response, deps))
        response.setHeader('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id');
      throw error;
    }
  };
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { packageRoot } from '../../provider/lib/package-root.ts';
import type { Deployment } from '../support/deployment.ts';
import { type CallAnswer, httpCall } from '../support/http-call.ts';
import { bearer, type TestClient, tokensOf } from '../support/test-client.ts';
import { billing, startWithTwoApis } from './two-apis.ts';

/** A request at a gateway. The target is as in the request line. */
interface Incoming {
  method?: string;
  target?: string;
  headers?: Record<string, string>;
}

/** A gateway's decision. `headers` are those that the service gets. */
type Decision = { status: 200; headers: Record<string, string> } | { status: number; answer: CallAnswer };

type Ask = (request: Incoming) => Promise<Decision>;

let deployment: Deployment;
let robot: TestClient;
beforeAll(async () => {
  ({ deployment, robot } = await startWithTwoApis());
}, 120_000);
afterAll(() => deployment?.stop());

const example = async (name: string) => {
  const text = await readFile(join(packageRoot, 'docs/gateways', name), 'utf8');
  return text
    .replaceAll('https://api.example.com', deployment.audience)
    .replaceAll(encodeURIComponent('https://api.example.com'), encodeURIComponent(deployment.audience));
};
const ask = (target: string, method: string, headers: Record<string, string>) =>
  httpCall(deployment.origins[0] ?? '', target, { method, headers });

interface Matcher {
  exact?: string;
  prefix?: string;
}

/**
 * Models Envoy's `ext_authz` with an HTTP service
 * (https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/ext_authz/v3/ext_authz.proto). Envoy
 * sends the request's method, its path and query after `path_prefix`, and only the headers Host, Authorization and
 * Content-Length, the last as 0. Only 200 accepts the request. Headers of the answer that match
 * `allowed_upstream_headers` replace the request's headers. Headers that match `allowed_client_headers` go to the
 * caller.
 */
async function envoy(): Promise<Ask> {
  const { static_resources: resources } = parse(await example('envoy.yaml'));
  const manager = resources.listeners[0].filter_chains[0].filters[0].typed_config;
  const { typed_config: authorization } = manager.http_filters.find(
    ({ name }: { name: string }) => name === 'envoy.filters.http.ext_authz',
  );
  const { http_service: http } = authorization;
  const { path_prefix: prefix, authorization_response: response } = http;
  const matches = (name: string, { patterns }: { patterns: Matcher[] }) =>
    patterns.some((one) => one.exact === name || (one.prefix !== undefined && name.startsWith(one.prefix)));
  return async ({ method = 'GET', target = '/orders', headers = {} }) => {
    const { authorization } = headers;
    const sent = {
      host: 'orders.example.com',
      'content-length': '0',
      ...(authorization && { authorization }),
    };
    const answer = await ask(`${prefix}${target}`, method, sent);
    const told = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const);
    if (answer.status !== 200) {
      const passed = told.filter(([name]) => matches(name, response.allowed_client_headers));
      return { status: answer.status, answer: { ...answer, headers: Object.fromEntries(passed) } };
    }
    const set = told.filter(([name]) => matches(name, response.allowed_upstream_headers));
    return { status: 200, headers: { ...headers, ...Object.fromEntries(set) } };
  };
}

/**
 * Models Traefik's `forwardAuth`
 * (https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/). Traefik sends GET to
 * `address` with the headers that `authRequestHeaders` lists, and describes the request in `X-Forwarded-*`. A 2XX
 * accepts the request. Traefik removes each header of `authResponseHeaders` from the request, and sets it if the answer
 * has it. Any other answer goes to the caller unchanged.
 */
async function traefik(): Promise<Ask> {
  const { forwardAuth } = parse(await example('traefik.yaml')).http.middlewares.gatehouse;
  const { pathname, search } = new URL(forwardAuth.address);
  const lower = (names: string[]) => names.map((name) => name.toLowerCase());
  return async ({ method = 'GET', target = '/orders', headers = {} }) => {
    const listed = lower(forwardAuth.authRequestHeaders);
    const copied = Object.entries(headers).filter(([name]) => listed.includes(name));
    const answer = await ask(`${pathname}${search}`, 'GET', {
      ...Object.fromEntries(copied),
      'accept-encoding': 'gzip',
      'x-forwarded-for': '192.0.2.7',
      'x-forwarded-host': 'orders.example.com',
      'x-forwarded-method': method,
      'x-forwarded-proto': 'https',
      'x-forwarded-uri': target,
    });
    if (answer.status < 200 || answer.status > 299) return { status: answer.status, answer };
    const replaced = lower(forwardAuth.authResponseHeaders);
    const kept = Object.entries(headers).filter(([name]) => !replaced.includes(name));
    const set = replaced.flatMap((name) => {
      const value = answer.headers[name];
      return value === undefined ? [] : [[name, String(value)]];
    });
    return { status: 200, headers: Object.fromEntries([...kept, ...set]) };
  };
}

const token = async (resource: string, scope = '') =>
  tokensOf(await robot.clientCredentials({ resource, scope })).access_token;

describe.each([
  ['Envoy', envoy],
  ['Traefik', traefik],
])('requests of %s', (_, gateway) => {
  let decide: Ask;
  let good: Record<string, string>;
  beforeAll(async () => {
    decide = await gateway();
    good = bearer(await token(deployment.audience, 'contracts:read'));
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    '%s',
    async (method) => {
      expect((await decide({ method, headers: good })).status).toBe(200);
      expect((await decide({ method })).status).toBe(401);
    },
  );

  test('every identity header of the caller is replaced or emptied', async () => {
    const names = 'subject client audience scope email email-verified roles permissions revocation'.split(
      ' ',
    );
    const forged = Object.fromEntries(names.map((name) => [`x-auth-${name}`, 'forged']));
    const decision = await decide({ headers: { ...good, ...forged, 'x-other': 'kept' } });
    expect(decision).toEqual({
      status: 200,
      headers: {
        ...good,
        'x-other': 'kept',
        'x-auth-subject': 'robot',
        'x-auth-client': 'robot',
        'x-auth-audience': deployment.audience,
        'x-auth-scope': 'contracts:read',
        'x-auth-email': '',
        'x-auth-email-verified': '',
        'x-auth-roles': '',
        'x-auth-permissions': '',
        'x-auth-revocation': 'checked',
      },
    });
  });

  test('the caller gets the reason of a refusal', async () => {
    const told = async (headers: Record<string, string>) => {
      const decision = await decide({ headers });
      return 'answer' in decision ? decision.answer.headers['www-authenticate'] : 'nothing';
    };
    expect(await told({})).toBe('Bearer');
    expect(await told(bearer(await token(billing)))).toMatch(/^Bearer error="invalid_token"/);
  });

  test("no request can avoid the check of its token's API and scope", async () => {
    const [foreign, other] = [bearer(await token(billing)), encodeURIComponent(billing)];
    const targets = [
      '/',
      `/?audience=${other}&scope=invoices:read`,
      `/auth/verify?audience=${other}&scope=invoices:read`,
      `/;audience=${other};scope=invoices:read`,
      `;audience=${other};scope=invoices:read`,
      `?audience=${other}&scope=invoices:read`,
      `&audience=${other}&scope=invoices:read`,
      `/../../auth/verify?audience=${other}&scope=invoices:read`,
      `/..;audience=${other}/`,
      `/%2e%2e/%2e%2e/auth/verify%3Faudience=${other}`,
      `/..%2f..%2fauth%2fverify;audience=${other};scope=invoices:read`,
      `//auth/verify;audience=${other};scope=invoices:read`,
      `/\\..\\..\\auth\\verify;audience=${other};scope=invoices:read`,
      `/#/auth/verify?audience=${other}`,
      `/http://localhost/auth/verify?audience=${other}`,
      '/../../../assets/gatehouse.css',
      '/../login',
      '*',
    ];
    for (const target of targets) {
      const { status } = await decide({ target, headers: foreign });
      expect([target, status >= 400 && status < 500]).toEqual([target, true]);
    }
  });
});

test('the examples name the headers that Gatehouse sends', async () => {
  const answer = await ask(
    '/auth/verify;scope=contracts:read',
    'GET',
    bearer(await token(deployment.audience)),
  );
  const names = Object.keys(answer.headers).filter((name) => name.startsWith('x-auth-'));
  expect(names.length).toBeGreaterThan(5);
  const { forwardAuth } = parse(await example('traefik.yaml')).http.middlewares.gatehouse;
  const inTraefik = (forwardAuth.authResponseHeaders as string[]).map((name) => name.toLowerCase());
  expect(inTraefik).toEqual(names);
  const nginx = await example('nginx.conf');
  const set = [...nginx.matchAll(/auth_request_set \$auth_\w+ +\$upstream_http_(x_auth_\w+);/g)];
  expect(set.map(([, name]) => name?.replaceAll('_', '-'))).toEqual(names);
  const passed = [...nginx.matchAll(/proxy_set_header (X-Auth-[\w-]+) +\$auth_(\w+);/g)];
  expect(passed.map(([, name]) => name?.toLowerCase())).toEqual(names);
  for (const [, name, variable] of passed)
    expect(`x-auth-${variable?.replaceAll('_', '-')}`).toBe(name?.toLowerCase());
  const page = await readFile(join(packageRoot, 'docs/verify.md'), 'utf8');
  for (const name of names) expect(page.toLowerCase()).toContain(`\`${name}\``);
});

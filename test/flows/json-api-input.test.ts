import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { httpCall } from '../support/http-call.ts';
import { comparable, postJson } from '../support/json-api.ts';

const { email, password } = demo;

const confidential = {
  id: 'first-party-backend',
  name: 'First-party backend',
  firstParty: true,
  secrets: [{ sha256: createHash('sha256').update('backend-secret').digest('hex') }],
  grants: ['password', 'refresh_token'],
  scopes: ['openid'],
};

interface Problem {
  code: string;
  errors: { pointer: string; message: string }[];
}

describe('what the JSON API is sent', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, redis: false, clients: [confidential] });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const post = (path: string, body: unknown, headers?: Record<string, string>) =>
    postJson(deployment, path, body, headers);
  const outcome = async (answer: Response) => [
    answer.status,
    ((await answer.json()) as { code: string }).code,
  ];

  test('a problem is a document by RFC 9457', async () => {
    const answer = await post('/auth/login', { email });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      type: 'urn:gatehouse:problem:validation_failed',
      title: 'validation failed',
      status: 400,
      detail: expect.any(String),
      code: 'validation_failed',
      requestId: answer.headers.get('x-request-id'),
      errors: [{ pointer: '/password', message: 'Give the password as text.' }],
    });
  });

  const wrong: [path: string, body: unknown, pointers: string[]][] = [
    ['/auth/login', {}, ['/email', '/password']],
    ['/auth/login', [], ['']],
    ['/auth/login', null, ['']],
    ['/auth/login', 'text', ['']],
    ['/auth/login', { email: 1, password: ['a'] }, ['/email', '/password']],
    ['/auth/login', { email: { $ne: null }, password }, ['/email']],
    ['/auth/login', { email, password, admin: true }, ['']],
    ['/auth/login', { email, password, clientId: 5 }, ['/clientId']],
    ['/auth/login', { email, password, clientId: '' }, ['/clientId']],
    ['/auth/login', { email: 'a'.repeat(255), password }, ['/email']],
    ['/auth/login', { email, password: 'a'.repeat(1025) }, ['/password']],
    ['/auth/refresh', {}, ['/refreshToken']],
    ['/auth/refresh', { refreshToken: '' }, ['/refreshToken']],
    ['/auth/refresh', { refreshToken: 'a'.repeat(513) }, ['/refreshToken']],
    ['/auth/refresh', { refreshToken: 'a', scope: 'openid' }, ['']],
    ['/auth/logout', { refreshToken: true }, ['/refreshToken']],
    ['/auth/register', { email }, ['/password']],
    ['/auth/register', { email, password, roles: ['ADMIN'] }, ['']],
  ];
  test.each(wrong)('POST %s of %j is refused at %j', async (path, body, pointers) => {
    const answer = await post(path, JSON.stringify(body));
    const { code, errors } = (await answer.json()) as Problem;
    expect([answer.status, code]).toEqual([400, 'validation_failed']);
    expect(errors.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  test.each(['nobody', 'demo-spa', 'demo-web', 'demo-service', 'first-party-backend', '__proto__'])(
    'the client %s may not call',
    async (clientId) => {
      const refused = [403, 'client_not_allowed'];
      expect(await outcome(await post('/auth/login', { email, password, clientId }))).toEqual(refused);
      expect(await outcome(await post('/auth/refresh', { refreshToken: 'x', clientId }))).toEqual(refused);
      expect(await outcome(await post('/auth/logout', { refreshToken: 'x', clientId }))).toEqual(refused);
    },
  );

  test('a public first-party client may be named', async () => {
    const answer = await post('/auth/login', { email, password, clientId: 'demo-first-party' });
    expect(answer.status).toBe(200);
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/problem+json',
    'text/json',
    'multipart/form-data; boundary=x',
  ])('the content type %s is refused', async (type) => {
    const answer = await post('/auth/login', { email, password }, { 'content-type': type });
    expect(await outcome(answer)).toEqual([415, 'unsupported_media_type']);
  });

  test('no content type is refused, one with a parameter taken', async () => {
    const body = JSON.stringify({ email, password });
    const bare = await httpCall(deployment.origins[0] ?? '', '/auth/login', { method: 'POST', body });
    expect(bare.status).toBe(415);
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await post('/auth/login', body, headers)).status).toBe(200);
  });

  test.each(['', '{', '{"email":', "{'email': 1}", '{"email":"a"}}', '\u0000'])(
    'the text %j is no JSON',
    async (text) => {
      expect(await outcome(await post('/auth/login', text))).toEqual([400, 'invalid_json']);
    },
  );

  test('JSON in another encoding is no JSON', async () => {
    const answer = await deployment.fetch(`${deployment.issuer}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ email: 'jürgen@example.com', password }), 'latin1'),
    });
    expect(await outcome(answer)).toEqual([400, 'invalid_json']);
  });

  test('__proto__ and constructor fill in nothing', async () => {
    const fields = JSON.stringify({ email, password });
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const answer = await post('/auth/login', `{"${name}": ${fields}}`);
      const { errors } = (await answer.json()) as Problem;
      expect(answer.status).toBe(400);
      expect(errors.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(['/email', '/password']));
    }
  });

  test('70 KiB are too much, whether or not the length is told before', async () => {
    const body = JSON.stringify({ email, password: 'a'.repeat(70 * 1024) });
    const [origin = ''] = deployment.origins;
    const type = { 'content-type': 'application/json' };
    for (const headers of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await httpCall(origin, '/auth/login', {
        method: 'POST',
        headers: { ...type, ...headers },
        body,
      });
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([413, 'payload_too_large']);
    }
    const within = await post('/auth/login', { email, password: 'a'.repeat(60 * 1024) });
    expect(await outcome(within)).toEqual([400, 'validation_failed']);
  });

  test('an empty password is as wrong as any other', async () => {
    const empty = await comparable(await post('/auth/login', { email, password: '' }));
    expect(empty).toMatchObject({ status: 401, text: expect.stringContaining('"invalid_credentials"') });
    expect(empty).toEqual(await comparable(await post('/auth/login', { email, password: 'wrong' })));
  });

  test.each([
    { email: 'john@example.com\u0000', password },
    { email, password: '\u0000' },
    { email: '\ud800@example.com', password },
    { email: "' OR 1=1 --", password },
    { email: '%', password },
  ])('%j gets in nobody, and no error of ours', async (body) => {
    expect(await outcome(await post('/auth/login', body))).toEqual([401, 'invalid_credentials']);
  });
});

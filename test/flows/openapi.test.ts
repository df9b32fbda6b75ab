import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  type Asked,
  appSettings,
  askForNewPasskey,
  askForPasskey,
  newAnswer,
  personWithPasskey,
} from '../support/app-passkeys.ts';
import { personWithFactor } from '../support/authenticator.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { apiLogin, callJsonApi, postJson } from '../support/json-api.ts';
import { codeIn } from '../support/mail-links.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { createSoftwarePasskey } from '../support/passkey-authenticator.ts';
import { recoveryMail } from '../support/recovery.ts';
import { newPerson } from '../support/sign-in.ts';
import { bearer, createTestClient, demoApps } from '../support/test-client.ts';
import {
  type JsonSchema,
  type OpenApiDocument,
  openApiProblems,
  operationsOf,
  schemaOf,
} from './openapi-document.ts';

const { email, password } = demo;

/** Whether a JSON Schema accepts a value. This doesn't use the server's own validation. */
const takes = (schema: JsonSchema, value: unknown) =>
  z.fromJSONSchema(schema as never).safeParse(value).success;

describe('/openapi.json', () => {
  let deployment: Deployment;
  let document: OpenApiDocument;
  let mails: MailServer;
  beforeAll(async () => {
    mails = await startMailServer();
    const env = {
      ...appSettings,
      ...mails.settings,
      GATEHOUSE_SIGNUP: 'true',
      GATEHOUSE_SIGNUP_VERIFICATION: '1d',
    };
    deployment = await startServers({ processes: 1, redis: false, env });
    const answer = await deployment.fetch(`${deployment.issuer}/openapi.json`);
    document = (await answer.json()) as OpenApiDocument;
  }, 120_000);
  afterAll(async () => {
    await deployment?.stop();
    await mails?.close();
  });

  /** @param token of the person who adds a passkey */
  const good = async (token: string): Promise<Record<string, Record<string, unknown>>> => {
    const [one, other] = [await apiLogin(deployment), await apiLogin(deployment)];
    const { person, recoveryCodes } = await personWithFactor(deployment);
    const forgetful = await newPerson(deployment);
    const asked = { email: forgetful.email, language: 'de' };
    const { flow } = (await callJsonApi(deployment, '/auth/recover', asked)).body;
    const { code } = await recoveryMail(mails, forgetful.email);
    const { challenge } = (await callJsonApi(deployment, '/auth/login', person)).body;
    const stranger = { email: `${randomUUID()}@example.com`, password: 'walked-through-all' };
    const { confirmation } = (await callJsonApi(deployment, '/auth/register', stranger)).body;
    const [mail] = await mails.until(stranger.email, 1);
    // Each use of a factor ends the challenges of its account, so there are two accounts.
    const owner = await personWithPasskey(deployment);
    const another = await personWithPasskey(deployment);
    const half = (await callJsonApi(deployment, '/auth/login', owner.person)).body;
    const options = half.passkey as Asked['options'];
    const request = await askForPasskey(deployment);
    const offer = await askForNewPasskey(deployment, token);
    return {
      '/auth/login/passkey': { challenge: half.challenge, credential: owner.answer({ options }) },
      '/auth/passkey/options': {},
      '/auth/passkey/login': { challenge: request.challenge, credential: another.answer(request) },
      '/user/passkeys': {
        challenge: offer.challenge,
        credential: newAnswer(deployment, offer, createSoftwarePasskey()),
      },
      '/auth/login': { email, password },
      '/auth/login/second-factor': { challenge, code: recoveryCodes[0] },
      '/auth/refresh': { refreshToken: one.refreshToken },
      '/auth/logout': { refreshToken: other.refreshToken },
      '/auth/recover': { email },
      '/auth/recover/password': { flow, code, newPassword: 'walked-through-all-again' },
      '/auth/register/confirm': { confirmation, code: codeIn(mail) },
      '/auth/register': { email: 'walked@example.com', password: 'walked-through-all' },
    };
  };
  const problemSchema = () => document.components.schemas.Problem as JsonSchema;
  const send = (method: string, path: string, body: unknown, token?: string) =>
    method === 'get'
      ? deployment.fetch(`${deployment.issuer}${path}`, {
          headers: token === undefined ? {} : bearer(token),
        })
      : postJson(deployment, path, body, token === undefined ? {} : bearer(token));

  test('is valid OpenAPI 3.1 and names this server', () => {
    expect(openApiProblems(document)).toEqual([]);
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.servers).toEqual([{ url: deployment.issuer }]);
  });

  test('the check finds mistakes', () => {
    const broken = structuredClone(document);
    delete (broken.paths['/auth/login'] as { post: Record<string, unknown> }).post.responses;
    Object.assign(broken.info, { version: undefined });
    Object.assign(broken, { path: {} });
    expect(openApiProblems(broken)).toHaveLength(3);
  });

  test('names every endpoint of the JSON API', () => {
    const names = operationsOf(document).map(({ method, path }) => `${method} ${path}`);
    expect(names.sort()).toEqual([
      'get /auth/verify',
      'get /user/profile',
      'post /auth/login',
      'post /auth/login/passkey',
      'post /auth/login/second-factor',
      'post /auth/logout',
      'post /auth/passkey/login',
      'post /auth/passkey/options',
      'post /auth/recover',
      'post /auth/recover/password',
      'post /auth/refresh',
      'post /auth/register',
      'post /auth/register/confirm',
      'post /user/passkeys',
      'post /user/passkeys/options',
    ]);
  });

  test('every endpoint answers a valid request as described', async () => {
    const { accessToken } = await apiLogin(deployment, { ...(await newPerson(deployment)) });
    const bodies = await good(accessToken);
    for (const { method, path, operation } of operationsOf(document)) {
      const answer = await send(method, path, bodies[path], operation.security && accessToken);
      const described = operation.responses[answer.status];
      expect([path, answer.ok, described]).toEqual([path, true, expect.anything()]);
      const text = await answer.text();
      if (described?.content === undefined) expect(text).toBe('');
      else expect([path, takes(schemaOf(described.content), JSON.parse(text))]).toEqual([path, true]);
    }
  });

  test('describes every problem', async () => {
    const spa = { clientId: 'demo-spa' };
    const machine = await createTestClient(deployment, demoApps.service).clientCredentials();
    const narrow = await createTestClient(deployment, demoApps.firstParty).passwordGrant({
      scope: 'openid',
    });
    const met: [path: string, method: string, status: number, body: unknown, token?: string][] = [
      ['/auth/login', 'post', 401, { email, password: 'wrong' }],
      ['/auth/login', 'post', 403, { email, password, ...spa }],
      ['/auth/login', 'post', 401, (await personWithFactor(deployment)).person],
      ['/auth/login/second-factor', 'post', 401, { challenge: 'x', code: '123456' }],
      ['/auth/login', 'post', 400, {}],
      ['/auth/login', 'post', 400, '{'],
      ['/auth/login', 'post', 413, { email: 'a'.repeat(70 * 1024), password }],
      ['/user/passkeys/options', 'post', 401, undefined],
      ['/auth/refresh', 'post', 401, { refreshToken: 'x' }],
      ['/auth/refresh', 'post', 403, { refreshToken: 'x', ...spa }],
      ['/auth/logout', 'post', 403, { refreshToken: 'x', ...spa }],
      ['/auth/register', 'post', 400, { email: 'x', password: 'x' }],
      ['/auth/recover', 'post', 400, { email: 'x' }],
      ['/auth/recover/password', 'post', 400, { flow: 'x', code: 'x', newPassword: 'x' }],
      ['/auth/recover/password', 'post', 400, { token: 'x', code: 'x', newPassword: 'x' }],
      ['/user/profile', 'get', 401, undefined],
      ['/user/profile', 'get', 401, undefined, String(machine.body.access_token)],
      ['/user/profile', 'get', 403, undefined, String(narrow.body.access_token)],
      ['/auth/verify?scope=', 'get', 400, undefined],
      ['/auth/verify', 'get', 401, undefined],
      ['/auth/verify?scope=contracts:write', 'get', 403, undefined, String(machine.body.access_token)],
    ];
    for (const [path, method, status, body, token] of met) {
      const answer = await send(method, path, body, token);
      expect([path, answer.status]).toEqual([path, status]);
      const operation = operationsOf(document).find((each) => each.path === path.split('?')[0])?.operation;
      const problem = (await answer.json()) as { code: string };
      expect(operation?.responses[status]?.description).toContain(problem.code);
      expect(takes(problemSchema(), problem)).toBe(true);
    }
  });

  test('endpoints refuse exactly what their request schemas refuse', async () => {
    const { accessToken } = await apiLogin(deployment, { ...(await newPerson(deployment)) });
    const bodies = await good(accessToken);
    for (const { path, operation } of operationsOf(document)) {
      if (!operation.requestBody) continue;
      const schema = schemaOf(operation.requestBody.content);
      const body = bodies[path] ?? {};
      expect(takes(schema, body)).toBe(true);
      const refused = variations(schema, body).filter((value) => !takes(schema, value));
      expect(refused.length).toBeGreaterThanOrEqual(4);
      for (const value of refused) {
        const answer = await postJson(deployment, path, JSON.stringify(value));
        const { code } = (await answer.json()) as { code: string };
        expect([path, value, code]).toEqual([path, value, 'validation_failed']);
      }
      const taken = variations(schema, body).filter((value) => takes(schema, value));
      expect(taken.length).toBeGreaterThanOrEqual(1);
      // These have rules for addresses, passwords and codes that no schema can say.
      const hasRules = /^\/auth\/(register|recover)/.test(path);
      for (const value of taken.filter(() => !hasRules)) {
        const answer = await postJson(deployment, path, JSON.stringify(value));
        expect([path, value, answer.status]).not.toEqual([path, value, 400]);
      }
    }
  });
});

/**
 * Variations of a valid body: a field left out, another type, the longest value, one that is too long, an additional
 * field. The schema accepts some of them.
 */
function variations(schema: JsonSchema, body: Record<string, unknown>): unknown[] {
  const fields = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const changed = fields.flatMap(([name, field]) => {
    const { [name]: _, ...without } = body;
    const longest = Number(field.maxLength ?? 100);
    const values = [1, null, [], {}, '', 'a'.repeat(longest), 'a'.repeat(longest + 1)];
    return [without, ...values.map((value) => ({ ...body, [name]: value }))];
  });
  return [...changed, { ...body, unexpected: 1 }, [], null];
}

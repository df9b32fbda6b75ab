import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { type ClientDocument, clientDocumentSchema } from '../../provider/clients/client-document.ts';
import { launchBrowser, type TestBrowser } from '../support/chromium.ts';
import { type Deployment, demo, startServers } from '../support/deployment.ts';
import { createTestClient, decodeJwt, type TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { type BrowserPage, type ConformanceFiles, type Expected, readConformanceFiles } from './files.ts';
import { expectedFor, problemOf } from './verdict.ts';

let files: ConformanceFiles;
let documents: ClientDocument[];
beforeAll(async () => {
  files = await readConformanceFiles();
  const { clients } = parse(await readFile(files.clientsFile, 'utf8')) as { clients: unknown[] };
  documents = clients.map((client) => clientDocumentSchema.parse(client));
});

describe('the files for the suite', () => {
  test('name the same clients, secrets and addresses', () => {
    const { alias, client, client2, client_secret_post: post } = files.plans.config;
    const base = `https://localhost:8443/test/a/${alias}`;
    const documentOf = (id: string) => documents.find((document) => document.id === id);
    for (const { client_id, client_secret } of [client, client2, post]) {
      const sha256 = createHash('sha256').update(client_secret).digest('hex');
      expect(documentOf(client_id)?.secrets).toEqual([{ sha256 }]);
      expect(documentOf(client_id)?.redirectUris).toContain(`${base}/callback`);
    }
    expect(documentOf(client.client_id)).toMatchObject({
      auth: 'client_secret_basic',
      postLogoutRedirectUris: [`${base}/post_logout_redirect`],
      backchannelLogoutUri: `${base}/backchannel_logout`,
    });
    expect(documentOf(post.client_id)?.auth).toBe('client_secret_post');
    expect(files.plans.config.server.discoveryUrl).toBe(
      `${files.settings.GATEHOUSE_ISSUER}/.well-known/openid-configuration`,
    );
  });

  test('run each plan with clients of the file and with clients that register themselves', () => {
    const names = files.plans.plans.map(({ name }) => name);
    for (const profile of ['basic', 'logout'])
      expect(names).toEqual(expect.arrayContaining([`${profile}, static`, `${profile}, registered`]));
    expect(names).toEqual(expect.arrayContaining(['config', 'back-channel, static']));
    expect(new Set(names).size).toBe(names.length);
  });

  test('expect each result once, in plans that exist', () => {
    const names = files.plans.plans.map(({ name }) => name);
    const seen = new Set<string>();
    for (const { module, plans = names } of files.expected) {
      expect(names).toEqual(expect.arrayContaining(plans));
      for (const plan of plans) {
        expect(seen).not.toContain(`${plan} ${module}`);
        seen.add(`${plan} ${module}`);
      }
    }
  });

  test('pin each image by its digest', async () => {
    const { services } = parse(await readFile('test/conformance/compose.yaml', 'utf8')) as {
      services: Record<string, { image: string }>;
    };
    for (const { image } of Object.values(services)) expect(image).toMatch(/:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });
});

describe('the verdict on a module', () => {
  const warning: Expected = {
    module: 'm',
    result: 'WARNING',
    conditions: ['Known'],
    reason: 'a long enough reason',
  };

  test.each([
    ['PASSED', [], undefined],
    ['WARNING', ['New'], 'is WARNING, not PASSED (New)'],
    ['TIMED OUT', [], 'is TIMED OUT, not PASSED'],
  ])('is, for %s with %j and nothing expected, %s', (result, conditions, problem) => {
    expect(problemOf({ result, conditions }, undefined)).toBe(problem);
  });

  test.each([
    ['WARNING', ['Known'], undefined],
    ['WARNING', ['Known', 'New'], 'is WARNING as expected, but has new problems (New)'],
    ['WARNING', [], 'no longer has the expected problems (Known): remove them'],
    ['PASSED', [], 'is PASSED, not WARNING'],
    ['FAILED', ['Known'], 'is FAILED, not WARNING (Known)'],
  ])('is, for %s with %j and a warning expected, %s', (result, conditions, problem) => {
    expect(problemOf({ result, conditions }, warning)).toBe(problem);
  });

  test('uses an expectation only for the plans that it names', () => {
    const some = { ...warning, plans: ['a'] };
    expect(expectedFor([some], 'a', 'm')).toBe(some);
    expect(expectedFor([some], 'b', 'm')).toBeUndefined();
    expect(expectedFor([warning], 'b', 'm')).toBe(warning);
  });
});

describe('Gatehouse with the settings and clients for the suite', () => {
  let deployment: Deployment;
  let browser: TestBrowser;
  let one: TestClient;
  beforeAll(async () => {
    const env = Object.assign({}, files.settings, { GATEHOUSE_CLIENTS_FILE: resolve(files.clientsFile) });
    const issuer = files.settings.GATEHOUSE_ISSUER ?? '';
    deployment = await startServers({ env, processes: 1, issuer: () => issuer });
    browser = await launchBrowser();
    const { client_id: id, client_secret: secret } = files.plans.config.client;
    one = createTestClient(deployment, { id, secret, redirectUri: documents[0]?.redirectUris[0] ?? '' });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await deployment?.stop();
  });

  const withoutPkce = { code_challenge: undefined, code_challenge_method: undefined };

  /** The commands of a step. A step can be that of one module. */
  function commandsOf(path: string, task: string, module?: string) {
    const { browser: usual, override } = files.plans.config;
    const pages: BrowserPage[] = (module === undefined ? usual : override[module]?.browser) ?? [];
    const url = `${deployment.issuer}${path}`;
    const found = pages.find(({ match }) => url.startsWith(match.replace(/\*$/, '')));
    return found?.tasks.find((one) => one.task === task)?.commands ?? [];
  }

  /** How many elements of the page each command finds; for a command that waits, whether the page has its text. */
  async function look({ html }: Page, commands: ReturnType<typeof commandsOf>): Promise<unknown[]> {
    expect(commands).not.toEqual([]);
    const page = await browser.context.newPage();
    await page.setContent(html);
    const text = (await page.locator('html').innerText()) ?? '';
    const results = await Promise.all(
      commands.map(([action, kind, selector, , wanted]) =>
        action === 'wait'
          ? new RegExp(String(wanted)).test(text)
          : page.locator(`${kind}=${selector}`).count(),
      ),
    );
    await page.close();
    return results;
  }

  const begin = async (agent: UserAgent, parameters = {}) =>
    agent.get(one.authorizationUrl(Object.assign({ nonce: 'n' }, withoutPkce, parameters)));
  const { email, password } = demo;

  test('has the elements of each step of a sign-in and a sign-out, exactly once', async () => {
    const agent = createUserAgent(deployment);
    const signIn = await begin(agent);
    expect(await look(signIn, commandsOf('/oauth2/authorize', 'Sign in'))).toEqual([1, 1, 1]);
    const consent = await agent.submit(signIn, { email, password });
    expect(await look(consent, commandsOf('/oauth2/authorize', 'Consent'))).toEqual([1]);
    const { url } = await agent.submit(consent, { decision: 'allow' });
    const code = new URL(url).searchParams.get('code') ?? '';
    const { status, body } = await one.redeem(code, { code_verifier: undefined });
    expect([status, decodeJwt(String(body.id_token)).claims.nonce]).toEqual([200, 'n']);

    const again = await begin(agent, { prompt: 'login' });
    expect(await look(again, commandsOf('/oauth2/authorize', 'Sign in', 'oidcc-prompt-login'))).toEqual([
      ...[true, 1, 1, 1],
    ]);

    const logout = await agent.get(`${deployment.issuer}/oauth2/logout`);
    expect(await look(logout, commandsOf('/oauth2/logout', 'Confirm the sign-out'))).toEqual([1]);
    const out = await agent.submit(logout, { logout: 'yes' });
    const after = commandsOf(
      '/oauth2/logout',
      'The page after a sign-out',
      'oidcc-rp-initiated-logout-no-params',
    );
    expect(await look(out, after)).toEqual([true]);
  });

  test('has the error pages that modules wait for', async () => {
    const agent = createUserAgent(deployment);
    const refused = await begin(agent, { redirect_uri: 'https://localhost:8443/elsewhere' });
    const module = 'oidcc-ensure-registered-redirect-uri';
    expect(await look(refused, commandsOf('/oauth2/authorize', 'The error page', module))).toEqual([true]);
    const query = new URLSearchParams({
      client_id: one.id,
      post_logout_redirect_uri: 'https://elsewhere.example/',
    });
    const logout = await agent.get(`${deployment.issuer}/oauth2/logout?${query}`);
    const unknown = 'oidcc-rp-initiated-logout-bad-post-logout-redirect-uri';
    expect(await look(logout, commandsOf('/oauth2/logout', 'The error page', unknown))).toEqual([true]);
  });

  test('lets a client register that has a secret and sends no PKCE', async () => {
    const redirectUri = 'https://localhost:8443/test/a/gatehouse/callback';
    const answer = await deployment.fetch(`${deployment.issuer}/oauth2/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri] }),
    });
    const { client_id: id, client_secret: secret } = (await answer.json()) as Record<string, string>;
    const app = createTestClient(deployment, { id: id ?? '', secret: secret ?? '', redirectUri });
    const code = await app.code(createUserAgent(deployment), withoutPkce);
    expect((await app.redeem(code, { code_verifier: undefined })).status).toBe(200);
  });
});

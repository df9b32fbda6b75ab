import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, demo, threeProcesses } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import type { TestClient } from '../support/test-client.ts';
import { copyOf, createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { allScopes, appDocument, createApp, tally } from './apps.ts';

const clients = [appDocument('shop'), appDocument('own', { firstParty: true })];

/** Pushes a request. Returns the address where a browser starts with it. */
async function push(deployment: Deployment, app: TestClient, changes: Record<string, string> = {}) {
  const form = Object.fromEntries(
    new URL(app.authorizationUrl({ scope: allScopes, ...changes })).searchParams,
  );
  const { body } = await app.post('par', form);
  const query = new URLSearchParams({ client_id: app.id, request_uri: String(body.request_uri) });
  return `${deployment.issuer}/oauth2/authorize?${query}`;
}

/** What the browser got: a code, an error for the app, or a page. */
function outcome({ url, status, html }: Page): string {
  if (status !== 0) return /<dd><code>(?<code>\w+)/.exec(html)?.groups?.code ?? `a page (${status})`;
  const { searchParams } = new URL(url);
  return searchParams.has('code') ? 'code' : (searchParams.get('error') ?? url);
}

const outcomes = (pages: Page[]) => tally(pages.map(outcome));

async function signIn(agent: UserAgent, page: Page): Promise<Page> {
  const { email, password } = demo;
  return agent.submit(page, { email, password });
}

describe.each(threeProcesses)('a pushed request leads to one authorization, on $name', ({ start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start({ clients });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('of 100 tabs with a session, one gets a code', async () => {
    const app = createApp(deployment, 'shop');
    const agent = createUserAgent(deployment);
    await app.authorize(agent, { scope: allScopes });
    const url = await push(deployment, app);
    const pages = await atOnce(100, () => copyOf(deployment, agent).get(url));
    expect(outcomes(pages)).toEqual({ code: 1, invalid_request_uri: 99 });
  });

  test('of 100 browsers that agree in parallel, one gets a code', async () => {
    const app = createApp(deployment, 'shop');
    const url = await push(deployment, app, { prompt: 'consent' });
    const waiting: { agent: UserAgent; consent: Page }[] = [];
    // Gatehouse would refuse to hash a hundred passwords in parallel.
    for (let batch = 0; batch < 10; batch += 1) {
      const signedIn = await atOnce(10, async () => {
        const agent = createUserAgent(deployment);
        return { agent, consent: await signIn(agent, await agent.get(url)) };
      });
      waiting.push(...signedIn);
    }
    expect(waiting.filter(({ consent }) => consent.html.includes('name="decision"'))).toHaveLength(100);
    const pages = await Promise.all(
      waiting.map(({ agent, consent }) => agent.submit(consent, { decision: 'allow' })),
    );
    expect(outcomes(pages)).toEqual({ code: 1, invalid_request_uri: 99 });
  }, 120_000);

  test('it can be reloaded and opened again until it is done, and then it is refused before sign-in', async () => {
    const app = createApp(deployment, 'own');
    const url = await push(deployment, app);
    const agent = createUserAgent(deployment);
    const first = await agent.get(url);
    expect((await agent.get(first.url)).html).toContain('name="password"');
    const again = await agent.get(url);
    expect(outcome(await signIn(agent, again))).toBe('code');
    for (const late of [agent, createUserAgent(deployment)]) {
      const page = await late.get(url);
      expect([page.status, outcome(page)]).toEqual([400, 'invalid_request_uri']);
      expect(page.html).not.toContain('name="password"');
    }
  });

  test('a denied request can be opened again', async () => {
    const app = createApp(deployment, 'shop');
    const url = await push(deployment, app, { prompt: 'consent' });
    const agent = createUserAgent(deployment);
    const consent = await signIn(agent, await agent.get(url));
    expect(outcome(await agent.submit(consent, { decision: 'deny' }))).toBe('access_denied');
    const second = await agent.submit(await agent.get(url), { decision: 'allow' });
    expect(outcome(second)).toBe('code');
    expect(outcome(await agent.get(url))).toBe('invalid_request_uri');
  });
});

describe('a pushed request as time goes by', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess(clients, { GATEHOUSE_INTERACTION_SECONDS: '1800' });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const open = async (url: string) => {
    const agent = createUserAgent(deployment);
    return { agent, page: await agent.get(url) };
  };

  test('it can be opened for one minute only', async () => {
    const url = await push(deployment, createApp(deployment, 'own'));
    deployment.advance(58);
    expect((await open(url)).page.html).toContain('name="password"');
    deployment.advance(3);
    expect(outcome((await open(url)).page)).toBe('invalid_request_uri');
  });

  // The library deletes a request after its minute, and accepts requests that it can't find.
  test.each([70, 530])('%d s after it was opened it leads to only one authorization', async (seconds) => {
    const url = await push(deployment, createApp(deployment, 'own'));
    const [one, other, late] = [await open(url), await open(url), await open(url)];
    deployment.advance(seconds);
    const both = await Promise.all([signIn(one.agent, one.page), signIn(other.agent, other.page)]);
    expect(outcomes(both)).toEqual({ code: 1, invalid_request_uri: 1 });
    deployment.advance(60);
    expect(outcome(await signIn(late.agent, late.page))).toBe('invalid_request_uri');
  });

  test('a slow person gets a code, and a slower one after that doesn’t', async () => {
    const app = createApp(deployment, 'shop');
    const url = await push(deployment, app, { prompt: 'consent' });
    const [one, other] = [await open(url), await open(url)];
    deployment.advance(590);
    const consents = [await signIn(one.agent, one.page), await signIn(other.agent, other.page)] as const;
    expect(outcome(await one.agent.submit(consents[0], { decision: 'allow' }))).toBe('code');
    deployment.advance(1700);
    expect(outcome(await other.agent.submit(consents[1], { decision: 'allow' }))).toBe('invalid_request_uri');
  });
});

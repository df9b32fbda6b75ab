import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { createTestClient, demoApps, pkce } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { appDocument, createApp, tally } from './apps.ts';
import { deviceFlow, tvDocument } from './devices.ts';
import { addressIn, from, fromAnywhere, retryAfter } from './limits-world.ts';

const clients = [appDocument('spa', { auth: 'none' }), tvDocument('tv', { auth: 'none' })];

describe('G9, authorization requests from many networks', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess(clients, {
      ...fromAnywhere,
      ...deviceFlow,
      GATEHOUSE_LIMITS_PERCENT: '1',
    });
  }, 120_000);
  afterAll(() => deployment?.stop());

  test('stop at the limit of the store; a signed-in person can continue, and others can once it is over', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const agent = createUserAgent(deployment);
    await web.signIn(agent);
    const ask = (index: number) =>
      deployment.fetch(web.authorizationUrl(), {
        headers: { ...from(addressIn(index)), accept: 'text/html' },
      });
    const answers = await atOnce(200, ask);
    const { 303: allowed, 503: refused } = tally(answers.map(({ status }) => status));
    // The time doesn't move: a hundred for all processes, ten for this process, less the sign-in above.
    expect([allowed, refused]).toEqual([109, 91]);
    for (const answer of answers.filter(({ status }) => status === 503)) {
      expect(retryAfter(answer)).toBeGreaterThan(0);
      expect(answer.headers.get('location')).toBeNull();
      expect(answer.headers.get('cache-control')).toContain('no-store');
      expect(await answer.text()).toContain('Try again in a moment');
    }
    expect((await web.authorize(agent)).get('code')).toEqual(expect.any(String));
    deployment.advance(60);
    expect((await ask(300)).status).toBe(303);
  });

  const request = {
    scope: 'openid',
    response_type: 'code',
    redirect_uri: 'http://localhost:8080/spa/callback',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
  };
  const app = (id: string) => createApp(deployment, id, 'public');
  type Door = [door: string, ask: (index: number) => Promise<{ status: number }>, ok: number, all: number];
  const doors: Door[] = [
    ['pushed requests', (index) => app('spa').post('par', request, from(addressIn(index))), 201, 110],
    [
      'device codes',
      (index) => app('tv').post('device', { scope: 'openid' }, from(addressIn(index))),
      200,
      55,
    ],
    [
      'pages for devices',
      (index) => deployment.fetch(`${deployment.issuer}/device`, { headers: from(addressIn(index)) }),
      200,
      55,
    ],
    [
      'forms for devices',
      (index) =>
        deployment.fetch(`${deployment.issuer}/device`, {
          method: 'POST',
          body: new URLSearchParams({ user_code: 'BCDFGHJK' }),
          headers: from(addressIn(index)),
        }),
      400,
      55,
    ],
  ];
  test.each(doors)('%s from everywhere end too', async (_door, ask, ok, all) => {
    deployment.advance(3600);
    const statuses = tally((await atOnce(150, ask)).map(({ status }) => status));
    // The clock stands still: what all processes count together, and a tenth of it by this process.
    expect(statuses).toEqual({ [ok]: all, 503: 150 - all });
    deployment.advance(60);
    expect((await ask(300)).status).toBe(ok);
  });

  test('a confidential client pushes more requests, because it has proved itself', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const push = (index: number) =>
      web.post(
        'par',
        { ...request, client_id: web.id, redirect_uri: web.redirectUri },
        from(addressIn(index)),
      );
    expect(tally((await atOnce(150, push)).map(({ status }) => status))).toEqual({ 201: 150 });
  });

  test('a sign-in has ten minutes; who has signed in has an hour for the next page', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const consented = { prompt: 'login consent', scope: 'openid email' };
    const late = createUserAgent(deployment);
    const expired = await late.get(web.authorizationUrl(consented));
    deployment.advance(601);
    const { email, password } = demo;
    expect((await late.submit(expired, { email, password })).html).toContain('interaction_expired');
    const agent = createUserAgent(deployment);
    const signIn = await agent.get(web.authorizationUrl(consented));
    deployment.advance(590);
    const consent = await agent.submit(signIn, { email, password });
    expect(consent.html).toContain('name="decision"');
    deployment.advance(3500);
    expect((await agent.submit(consent, { decision: 'allow' })).url).toContain('code=');
  });
});

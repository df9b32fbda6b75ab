import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { tally } from './apps.ts';
import { addressIn, from, fromAnywhere, retryAfter } from './limits-world.ts';

describe('G9, authorization requests from many networks', () => {
  let deployment: InProcess;
  beforeAll(async () => {
    deployment = await startInProcess([], { ...fromAnywhere, GATEHOUSE_LIMITS_PERCENT: '1' });
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
});

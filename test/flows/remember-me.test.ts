import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { newPerson, silently } from '../support/sign-in.ts';
import type { TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { appDocument, createApp } from './apps.ts';

const hour = 3600;
const day = 24 * hour;
const { email, password } = demo;
const box = /<input type="checkbox" name="remember" value="yes"(?<checked> checked)?>/;

let deployment: InProcess;
let web: TestClient;
let agent: UserAgent;
/** What the browser was last told to keep of the session: until then, or `window` for as long as it is open. */
let kept: string | undefined;

async function startWith(settings: Record<string, string>): Promise<void> {
  deployment = await startInProcess([appDocument('web', { firstParty: true })], settings);
  web = createApp(deployment, 'web');
}

/** A browser that tells what it was told of the session's cookie. */
function newAgent(): UserAgent {
  const fetch: InProcess['fetch'] = async (input, init) => {
    const response = await deployment.fetch(input, init);
    for (const line of response.headers.getSetCookie()) {
      if (!line.startsWith('gatehouse_session=')) continue;
      kept = /expires=(?<when>[^;]+)/i.exec(line)?.groups?.when ?? 'window';
    }
    return response;
  };
  return createUserAgent({ issuer: deployment.issuer, fetch });
}

const ask = (parameters = {}) => agent.get(web.authorizationUrl(parameters));
const signIn = (page: Page, fields: Record<string, string> = {}) =>
  agent.submit(page, { email, password, ...fields });
const daysKept = () => (Date.parse(kept ?? '') - Date.now()) / (day * 1000);

beforeEach(() => {
  agent = newAgent();
  kept = undefined;
});

describe('where people are asked', () => {
  beforeAll(
    () => startWith({ GATEHOUSE_SIGNUP: 'true', GATEHOUSE_UNREMEMBERED_SESSION_SECONDS: String(8 * hour) }),
    120_000,
  );
  afterAll(() => deployment?.stop());

  test('the box is there, and not ticked', async () => {
    const { html } = await ask();
    expect(box.exec(html)?.groups).toEqual({ checked: undefined });
    expect(html).toContain('Keep me signed in on this device');
  });

  test('who leaves it is signed in until the window closes, and no longer than the setting says', async () => {
    await signIn(await ask());
    expect(kept).toBe('window');
    deployment.advance(8 * hour - 10);
    expect(await silently(agent, web)).toBe('code');
    deployment.advance(11);
    expect(await silently(agent, web)).toBe('login_required');
  });

  test('who ticks it stays signed in when the window closes', async () => {
    await signIn(await ask(), { remember: 'yes' });
    expect(daysKept()).toBeGreaterThan(2.9);
    deployment.advance(2 * day);
    expect(await silently(agent, web)).toBe('code');
  });

  test('a wrong password keeps the box as it was', async () => {
    const again = await signIn(await ask(), { password: 'not the password', remember: 'yes' });
    expect(box.exec(again.html)?.groups).toEqual({ checked: ' checked' });
  });

  test.each([
    ['remembered', { remember: 'yes' }],
    ['not remembered', {}],
  ])('who is %s stays so when asked for the password once more', async (_, fields) => {
    await signIn(await ask(), fields);
    const before = kept === 'window';
    const page = await ask({ prompt: 'login' });
    expect(page.html).not.toMatch(box);
    await signIn(page);
    expect(kept === 'window').toBe(before);
  });

  test('somebody else on the same browser is not remembered for the one before', async () => {
    await signIn(await ask(), { remember: 'yes' });
    const other = await newPerson(deployment);
    let page = await signIn(await ask({ prompt: 'login' }), { ...other });
    // The library ends the first person's session by a form that a script sends.
    if (page.html.includes('name="logout"')) page = await agent.submit(page, {});
    expect(page.url).toContain('code=');
    expect(kept).toBe('window');
  });
});

describe.each([
  ['always', true],
  ['never', false],
])('where it is %s', (mode, remembered) => {
  beforeAll(() => startWith({ GATEHOUSE_REMEMBER_ME: mode }), 120_000);
  afterAll(() => deployment?.stop());

  test('nobody is asked, whatever the form says', async () => {
    const page = await ask();
    expect(page.html).not.toMatch(box);
    await signIn(page, { remember: remembered ? 'no' : 'yes' });
    expect(kept !== 'window').toBe(remembered);
  });
});

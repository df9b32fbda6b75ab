import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { demo } from '../support/deployment.ts';
import { type InProcess, startInProcess } from '../support/in-process.ts';
import { newPerson, silently } from '../support/sign-in.ts';
import type { TestClient } from '../support/test-client.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { watched } from '../support/wrapped-deployment.ts';
import { appDocument, createApp } from './apps.ts';

const hour = 3600;
const day = 24 * hour;
const { email, password } = demo;
const box = /<input type="checkbox" name="remember" value="yes"(?<checked> checked)?>/;

let deployment: InProcess;
let web: TestClient;
let agent: UserAgent;
/** The expiry of the last session cookie, or `window` if the cookie ends with the window. */
let kept: string | undefined;

async function startWith(settings: Record<string, string>): Promise<void> {
  deployment = await startInProcess([appDocument('web', { firstParty: true })], settings);
  web = createApp(deployment, 'web');
}

/** A browser that records the expiry of the session cookie. */
function newAgent(): UserAgent {
  const recording = watched(deployment, (answer) => {
    for (const line of answer.headers.getSetCookie()) {
      if (!line.startsWith('gatehouse_session=')) continue;
      kept = /expires=(?<when>[^;]+)/i.exec(line)?.groups?.when ?? 'window';
    }
  });
  return createUserAgent(recording);
}

const ask = (parameters = {}) => agent.get(web.authorizationUrl(parameters));
const signIn = (page: Page, fields: Record<string, string> = {}) =>
  agent.submit(page, { email, password, ...fields });
const daysKept = () => (Date.parse(kept ?? '') - Date.now()) / (day * 1000);

beforeEach(() => {
  agent = newAgent();
  kept = undefined;
});

describe('where the page has the box', () => {
  beforeAll(
    () => startWith({ GATEHOUSE_SIGNUP: 'true', GATEHOUSE_UNREMEMBERED_SESSION_SECONDS: String(8 * hour) }),
    120_000,
  );
  afterAll(() => deployment?.stop());

  test('the box is not ticked at first', async () => {
    const { html } = await ask();
    expect(box.exec(html)?.groups).toEqual({ checked: undefined });
    expect(html).toContain('Keep me signed in on this device');
  });

  test('without a tick the session ends with the window, and after the time of the setting', async () => {
    await signIn(await ask());
    expect(kept).toBe('window');
    deployment.advance(8 * hour - 10);
    expect(await silently(agent, web)).toBe('code');
    deployment.advance(11);
    expect(await silently(agent, web)).toBe('login_required');
  });

  test('with a tick the session outlives the window', async () => {
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
  ])('a person who is %s stays so when the page asks for the password again', async (_, fields) => {
    await signIn(await ask(), fields);
    const before = kept === 'window';
    const page = await ask({ prompt: 'login' });
    expect(page.html).not.toMatch(box);
    await signIn(page);
    expect(kept === 'window').toBe(before);
  });

  test('another person in the same browser doesn’t inherit the tick', async () => {
    await signIn(await ask(), { remember: 'yes' });
    const other = await newPerson(deployment);
    let page = await signIn(await ask({ prompt: 'login' }), { ...other });
    // The library ends the first person's session with a form that a script submits.
    if (page.html.includes('name="logout"')) page = await agent.submit(page, {});
    expect(page.url).toContain('code=');
    expect(kept).toBe('window');
  });
});

describe.each([
  ['always', true],
  ['never', false],
])('with the setting %s', (mode, remembered) => {
  beforeAll(() => startWith({ GATEHOUSE_REMEMBER_ME: mode }), 120_000);
  afterAll(() => deployment?.stop());

  test('the page has no box, and a field in the form is ignored', async () => {
    const page = await ask();
    expect(page.html).not.toMatch(box);
    await signIn(page, { remember: remembered ? 'no' : 'yes' });
    expect(kept !== 'window').toBe(remembered);
  });
});

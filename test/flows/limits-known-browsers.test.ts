import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { atOnce } from '../support/at-once.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { newPerson, openAccount } from '../support/sign-in.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent, type Person, type UserAgent } from '../support/user-agent.ts';
import { withHeaders } from '../support/wrapped-deployment.ts';
import { formOf, headingOf } from './account-pages.ts';
import { tally } from './apps.ts';
import { addressIn, from, fromAnywhere } from './limits-world.ts';

let deployment: Deployment;
beforeAll(async () => {
  const env = { ...fromAnywhere, GATEHOUSE_HASHING_QUEUE: '1000' };
  deployment = await startServers({ processes: 1, env });
}, 120_000);
afterAll(() => deployment?.stop());

/** Where the next requests come from. */
let address = addressIn(0);
const at = (next: string) => {
  address = next;
};
const newBrowser = () => createUserAgent(withHeaders(deployment, () => from(address)));

/** Browsers in which the person signed in, each at another place. */
async function signedInBrowsers(person: Person, count: number, network: number): Promise<UserAgent[]> {
  const browsers: UserAgent[] = [];
  while (browsers.length < count) {
    const browser = newBrowser();
    at(addressIn(network + browsers.length));
    await openAccount(deployment, browser, person);
    browsers.push(browser);
  }
  return browsers;
}

/** Ten guesses in each browser at the sign-in page: how many were tried, and how many were refused. */
async function guess(browsers: UserAgent[], person: Person) {
  const web = createTestClient(deployment, demoApps.web);
  const pages = await Promise.all(
    browsers.map((browser) => browser.get(web.authorizationUrl({ prompt: 'login consent' }))),
  );
  const answers = await atOnce(10 * browsers.length, async (index) => {
    const [browser, page] = [browsers[index % browsers.length], pages[index % browsers.length]];
    if (!browser || !page) throw new Error('no page');
    return browser.submit(page, { email: person.email, password: 'a guess' });
  });
  const { 400: tried = 0, 429: refused = 0 } = tally(answers.map(({ status }) => status));
  return { tried, refused };
}

test('many browsers in which an account signed in do not give many guesses', async () => {
  const person = await newPerson(deployment);
  const browsers = await signedInBrowsers(person, 16, 100);
  at(addressIn(1));
  const startedAt = performance.now();
  const { tried, refused } = await guess(browsers, person);
  // There are eight counts of ten tries. On a slow machine, each allows more tries after 1, 3, 7, 15 seconds.
  const waited = Math.floor(Math.log2((performance.now() - startedAt) / 1000 + 1));
  expect(tried).toBeLessThanOrEqual(8 * (10 + waited));
  expect(tried + refused).toBe(160);
});

test('a new password ends the tries of known browsers and places; the owner is known again after the next sign-in', async () => {
  const person = await newPerson(deployment);
  const browsers = await signedInBrowsers(person, 6, 200);
  const [own, ...others] = browsers;
  if (!own) throw new Error('no browser');
  at(addressIn(200));
  const page = await openAccount(deployment, own, person);
  const newPassword = 'a longer walk along the river';
  const changed = await own.submit(formOf(page, 'password'), {
    currentPassword: person.password,
    newPassword,
  });
  expect(headingOf(changed)).toBe('Your password is changed');
  at(addressIn(2));
  const startedAt = performance.now();
  const { tried, refused } = await guess(others, person);
  // All of them count as one new place: ten tries, and some after a wait.
  const waited = Math.floor(Math.log2((performance.now() - startedAt) / 1000 + 1));
  expect(tried).toBeLessThanOrEqual(10 + waited);
  expect(tried + refused).toBe(50);
  // At the same address, the owner's browser is refused until it signs in somewhere else with the new password.
  at(addressIn(3));
  expect(headingOf(await openAccount(deployment, own, { ...person, password: newPassword }))).toBe(
    headingOf(page),
  );
  at(addressIn(2));
  expect(await guess([own], person)).toEqual({ tried: 10, refused: 0 });
});

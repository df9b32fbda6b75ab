import type { Page } from 'playwright-core';
import { demo } from '../../support/deployment.ts';
import type { ConnectWorld } from './world.ts';

/**
 * Opens an address of the app that starts a sign-in, signs the demo account in, and agrees if asked. Resolves when the
 * browser is back at the app.
 *
 * @param start the address, or what to do so that the app starts the sign-in
 */
export async function signIn(
  { addresses: { issuer, app } }: ConnectWorld,
  page: Page,
  start: string | (() => Promise<unknown>),
): Promise<void> {
  return withPlace(page, () => throughSignIn(page, start, issuer, app));
}

async function throughSignIn(
  page: Page,
  start: string | (() => Promise<unknown>),
  issuer: string,
  app: string,
): Promise<void> {
  if (typeof start === 'string') await page.goto(start);
  else await start();
  await page.waitForURL((url) => url.origin === issuer);
  await page.getByLabel('Email address').fill(demo.email);
  await page.getByLabel('Password').fill(demo.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const consent = page.getByRole('button', { name: 'Allow', exact: true });
  const back = page.waitForURL((url) => url.href.startsWith(app)).then(() => 'back');
  const asked = consent.waitFor().then(() => 'asked');
  // The promise that loses ends with an error when the page closes.
  for (const each of [back, asked]) each.catch(() => {});
  if ((await Promise.race([back, asked])) === 'asked') await consent.click();
  await back;
}

/**
 * Does what makes the app sign out, and answers the question of Gatehouse if there is one. Resolves when the browser is
 * back at the app.
 *
 * @param start the address, or what to do so that the app sends the browser to Gatehouse
 */
export async function signOut(
  { addresses: { issuer, app } }: ConnectWorld,
  page: Page,
  start: string | (() => Promise<unknown>),
): Promise<void> {
  const answered = page
    .waitForRequest((request) => request.url().startsWith(`${issuer}/oauth2/logout`))
    .then(() => page.waitForEvent('framenavigated', (frame) => frame === page.mainFrame()));
  const started = typeof start === 'string' ? page.goto(start) : start();
  await withPlace(page, async () => {
    await Promise.all([answered, started]);
    if (page.url().startsWith(issuer))
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForURL((url) => url.href.startsWith(app));
  });
}

/** Adds to an error where the browser was and what the page said. */
async function withPlace(page: Page, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const text = await page.innerText('body', { timeout: 1000 }).catch(() => 'nothing');
    throw new Error(
      `${String(error)}\nThe browser was at ${page.url()}, which says:\n${text.slice(0, 1000)}`,
      {
        cause: error,
      },
    );
  }
}

/** Posts an empty form of the app, as a button of the app does. */
export const submitForm = (page: Page, path: string): Promise<void> =>
  page.evaluate(
    `document.body.innerHTML = '<form method="post" action="${path}"></form>'; document.forms[0].submit()`,
  );

/** Whether Gatehouse still knows the person in this browser: its account page then needs no sign-in. */
export async function isSignedInAtGatehouse({ addresses, browser }: ConnectWorld): Promise<boolean> {
  const page = await browser.context.newPage();
  try {
    await page.goto(`${addresses.issuer}/account`);
    return (await page.locator('input[name=email]').count()) === 0;
  } finally {
    await page.close();
  }
}

/** Signs the person out at Gatehouse, in another tab and without the app. */
export async function signOutAtGatehouse({ addresses, browser }: ConnectWorld): Promise<void> {
  const page = await browser.context.newPage();
  try {
    await page.goto(`${addresses.issuer}/oauth2/logout`);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForLoadState();
  } finally {
    await page.close();
  }
}

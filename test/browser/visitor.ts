import { expect } from '@jest/globals';
import type { BrowserContext, Page, Response } from 'playwright-core';
import type { CallbackServer } from './callback-server.ts';
import type { Person, World } from './world.ts';

/** A person with a new browser profile. */
export interface Visitor {
  context: BrowserContext;
  page: Page;
}

export interface VisitOptions {
  /** The default is true. */
  scripts?: boolean;
  /** Expected messages of the browser console. Each must appear at least once. */
  complaints?: RegExp[];
}

/**
 * Runs the visit of one person. Afterwards it checks that the browser reported only expected messages and sent requests only to
 * the issuer and the client, and that no page of the issuer could be framed.
 */
export async function visit(
  world: World,
  use: (visitor: Visitor) => Promise<void>,
  { scripts = true, complaints: expected = [] }: VisitOptions = {},
): Promise<void> {
  const context = await world.browser.newContext({ javaScriptEnabled: scripts, ignoreHTTPSErrors: true });
  const seen = watch(context, world);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  try {
    await use({ context, page });
  } catch (error) {
    const said = [...seen.complaints, ...seen.strays].join('\n');
    throw new Error(`${String(error)}\nAt ${page.url()} the browser said: ${said || 'nothing'}`, {
      cause: error,
    });
  } finally {
    await context.close();
  }
  const unexpected = seen.complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
  expect(unexpected).toEqual([]);
  for (const pattern of expected) expect(seen.complaints).toContainEqual(expect.stringMatching(pattern));
  expect(seen.strays).toEqual([]);
  expect(seen.frameable).toEqual([]);
}

function watch(context: BrowserContext, { deployment, origins }: World) {
  const seen = { complaints: [] as string[], strays: [] as string[], frameable: [] as string[] };
  context.on('console', (message) => {
    // An error page has an error status, which the browser reports.
    const isStatus = /^Failed to load resource: the server responded with a status of 4/.test(message.text());
    const isPage = /\/(interaction|oauth2|account)\/|\/(nowhere|device)$/.test(message.location().url);
    if (!(isStatus && isPage)) seen.complaints.push(message.text());
  });
  context.on('weberror', (error) => seen.complaints.push(String(error.error())));
  context.on('request', (request) => {
    if (!origins.has(new URL(request.url()).origin)) seen.strays.push(request.url());
  });
  context.on('response', (response) => {
    const isOurs = new URL(response.url()).origin === deployment.issuer;
    if (isOurs && isFrameable(response)) seen.frameable.push(response.url());
  });
  return seen;
}

function isFrameable(response: Response): boolean {
  const headers = response.headers();
  if (!headers['content-type']?.startsWith('text/html')) return false;
  if (response.status() >= 300 && response.status() < 400) return false;
  const policy = headers['content-security-policy'] ?? '';
  return headers['x-frame-options'] !== 'DENY' || !/(^|;)\s*frame-ancestors 'none'(;|$)/.test(policy);
}

/** Fills in the form of the sign-in or sign-up page and presses its button. */
export async function submit(page: Page, { email, password }: Person, button = 'Sign in'): Promise<void> {
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: button, exact: true }).click();
}

/** Presses a button. */
export const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

/** Waits until the browser is back at the client. Returns the parameters of the authorization response. */
export async function comeBack(page: Page, { callback }: CallbackServer): Promise<URLSearchParams> {
  await page.waitForURL((url) => url.href.startsWith(callback));
  return new URL(page.url()).searchParams;
}

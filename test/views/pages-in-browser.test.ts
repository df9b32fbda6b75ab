import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { pageHeaders } from '../../provider/interactions/page-headers.ts';
import { createPages } from '../../provider/interactions/pages.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { findByAxe } from '../browser/axe-runs.ts';
import { launchBrowser, type TestBrowser } from '../support/chromium.ts';
import { formFields, serve, serveAsset, type TestServer } from './page-server.ts';
import { sampleLogo, samplePages } from './sample-pages.ts';

const pages = createPages({ appName: 'Gatehouse' });
const renderer = pages.for({});
const names = Object.keys(samplePages);
const schemes = ['light', 'dark'] as const;
const screenshots = join(packageRoot, 'artifacts', 'screenshots');

let server: TestServer;
let browser: TestBrowser;
const posted: { path: string; fields: Record<string, string> }[] = [];

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  server = await serve(async (request, response) => {
    if (serveAsset(pages.assets, request, response)) return;
    const path = request.url ?? '';
    if (request.method === 'POST') posted.push({ path, fields: await formFields(request) });
    const sample = samplePages[path.slice('/page/'.length)];
    const page = sample && renderer.render(sample.view, sample.model as never);
    const headers = pageHeaders({ hasScript: page?.hasScript ?? false });
    response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8' });
    response.end(page?.html ?? '<title>posted</title>');
  });
  browser = await launchBrowser({ bypassCsp: false });
  const body =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" fill="#3b5bdb"/><circle cx="24" cy="24" r="10" fill="#fff"/></svg>';
  await browser.context.route(sampleLogo, (route) => route.fulfill({ contentType: 'image/svg+xml', body }));
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Opens a page. Returns the messages of the browser console. */
async function open(name: string, use: (page: Page, complaints: string[]) => Promise<void>) {
  const page = await browser.context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  page.on(
    'response',
    (response) => response.ok() || complaints.push(`${response.status()} ${response.url()}`),
  );
  try {
    await page.goto(`${server.origin}/page/${name}`);
    await use(page, complaints);
  } finally {
    await page.close();
  }
}

const overflow = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describe.each(names)('%s', (name) => {
  test('passes axe in light and dark mode, and the browser console is empty', async () => {
    await open(name, async (page, complaints) => {
      expect(await findByAxe(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });

  test('needs no sideways scrolling at 320 px, left to right, right to left, and with text twice as large', async () => {
    await open(name, async (page) => {
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await overflow(page)).toBe(0);
      await page.evaluate("document.documentElement.dir = 'rtl'");
      expect(await overflow(page)).toBe(0);
      await page.evaluate("document.documentElement.style.setProperty('font-size', '200%')");
      expect(await overflow(page)).toBe(0);
    });
  });

  test('is smaller than 30 KB in total, with no script but ours, and only where it has work', async () => {
    const sizes: number[] = [];
    const kinds = new Set<string>();
    const scripts: string[] = [];
    const page = await browser.context.newPage();
    const bodies: Promise<unknown>[] = [];
    page.on('response', (response) => {
      const kind = response.request().resourceType();
      kinds.add(kind);
      if (kind === 'script') scripts.push(new URL(response.url()).pathname);
      bodies.push(response.body().then((body) => sizes.push(body.length)));
    });
    await page.goto(`${server.origin}/page/${name}`, { waitUntil: 'load' });
    await Promise.all(bodies);
    const work = await page.locator('[data-reveal], [data-passkey]').count();
    await page.close();
    expect(kinds).toContain('stylesheet');
    expect(scripts).toEqual(work > 0 ? ['/assets/gatehouse.js'] : []);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(30_000);
  });

  test('looks like its picture', async () => {
    await open(name, async (page) => {
      for (const colorScheme of schemes) {
        for (const width of [390, 1280]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
          const path = join(screenshots, `${name}-${width}-${colorScheme}.png`);
          expect((await page.screenshot({ path, fullPage: true })).length).toBeGreaterThan(1000);
        }
      }
    });
  });
});

describe('with the keyboard', () => {
  const focused = (page: Page) =>
    page.evaluate('document.activeElement.name || document.activeElement.tagName');

  /** Waits, because a browser applies `autofocus` a moment after the page is loaded. */
  const toBeFocused = (page: Page, field: string) => page.locator(`[name=${field}]:focus`).waitFor();

  test.each([
    ['sign-in', 'email'],
    ['sign-in-wrong', 'password'],
    ['sign-in-field', 'email'],
    ['sign-up', 'email'],
    ['sign-up-field', 'password'],
  ])('%s starts in the field %s', async (name, field) => {
    await open(name, async (page) => {
      await toBeFocused(page, field);
      expect(await focused(page)).toBe(field);
    });
  });

  test('the focus order is the visual order, and the focus is visible everywhere', async () => {
    await open('sign-in', async (page) => {
      const order: unknown[] = [];
      await toBeFocused(page, 'email');
      for (let step = 0; step < 7; step += 1) {
        order.push(await focused(page));
        const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
        expect(outline).toBe('solid');
        await page.keyboard.press('Tab');
      }
      // The first button shows the password.
      expect(order).toEqual(['email', 'password', 'BUTTON', 'remember', 'BUTTON', 'BUTTON', 'A']);
    });
  });

  test('an error is connected with its field for screen readers', async () => {
    const described = (field: string) =>
      `document.getElementById('${field}').getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).textContent)`;
    await open('sign-in-field', async (page) => {
      expect(await page.evaluate(described('email'))).toEqual([
        'Enter an email address like name@example.com.',
      ]);
      expect(await page.getAttribute('#email', 'aria-invalid')).toBe('true');
      expect(await page.title()).toMatch(/^Error: /);
    });
    await open('sign-in-wrong', async (page) => {
      expect(await page.evaluate(described('password'))).toEqual([expect.stringContaining('is wrong')]);
    });
    await open('sign-up-field', async (page) => {
      expect(await page.evaluate(described('password'))).toEqual([
        expect.stringContaining('12 characters'),
        'Use at least 12 characters.',
      ]);
    });
  });
});

describe('the forms send the expected fields', () => {
  async function submit(name: string, act: (page: Page) => Promise<void>) {
    posted.length = 0;
    await open(name, async (page) => {
      await Promise.all([page.waitForURL((url) => !url.pathname.startsWith('/page/')), act(page)]);
    });
    return posted;
  }

  test('sign-in', async () => {
    const sent = await submit('sign-in', async (page) => {
      await page.getByLabel('Email address').fill('john@example.com');
      await page.getByLabel('Password').fill('correct-horse-battery');
      await page.keyboard.press('Enter');
    });
    const fields = { csrf: 'sample-csrf', email: 'john@example.com', password: 'correct-horse-battery' };
    expect(sent).toEqual([{ path: '/interaction/abc/sign-in', fields }]);
  });

  test('sign-up', async () => {
    const sent = await submit('sign-up', async (page) => {
      await page.getByLabel('Email address').fill('john@example.com');
      await page.getByLabel('Password').fill('correct-horse-battery');
      await page.getByRole('button', { name: 'Create account' }).click();
    });
    const fields = { csrf: 'sample-csrf', email: 'john@example.com', password: 'correct-horse-battery' };
    expect(sent).toEqual([{ path: '/interaction/abc/sign-up', fields }]);
  });

  test.each([
    ['Allow', 'allow'],
    ['Deny', 'deny'],
  ])('consent: %s', async (name, decision) => {
    const sent = await submit('consent', (page) => page.getByRole('button', { name }).click());
    expect(sent).toEqual([{ path: '/interaction/abc/consent', fields: { csrf: 'sample-csrf', decision } }]);
  });

  test.each([
    ['Sign out', { xsrf: 'sample-xsrf', logout: 'yes' }],
    ['Stay signed in', { xsrf: 'sample-xsrf' }],
  ])('logout: %s', async (name, fields) => {
    const sent = await submit('logout', (page) => page.getByRole('button', { name }).click());
    expect(sent).toEqual([{ path: '/oauth2/logout/confirm', fields }]);
  });

  test('passwords are named for password managers', async () => {
    const names = (page: Page) =>
      page.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden])')].map((each) => each.autocomplete)",
      );
    await open('sign-in', async (page) =>
      expect(await names(page)).toEqual(['username', 'current-password', '']),
    );
    await open('sign-up', async (page) => expect(await names(page)).toEqual(['username', 'new-password']));
  });
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { pageHeaders } from '../../provider/interactions/page-headers.ts';
import type { Pages } from '../../provider/interactions/pages.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { colorSchemes, findByAxe } from '../browser/axe-runs.ts';
import { launchBrowser, type TestBrowser } from '../support/chromium.ts';
import { createLooks } from './looks.ts';
import { serve, serveAsset, type TestServer } from './page-server.ts';
import { samplePages } from './sample-pages.ts';

const screenshots = join(packageRoot, 'artifacts', 'screenshots');
const names = ['sign-in', 'sign-up-field', 'consent', 'error', 'logout', 'account', 'home'];

const { looks, remove } = createLooks();
const served: { name: string; server: TestServer }[] = [];
let browser: TestBrowser;

/** Content of the client is left out, so everything else must come from the issuer. */
async function servePages(pages: Pages): Promise<TestServer> {
  return serve((request, response) => {
    if (serveAsset(pages.assets, request, response)) return;
    const sample = samplePages[(request.url ?? '').slice(1)];
    const model = { ...sample?.model, logoUri: undefined };
    const page = sample && pages.for({}).render(sample.view, model as never);
    const headers = pageHeaders({ hasScript: page?.hasScript ?? false });
    response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8' });
    response.end(page?.html ?? '');
  });
}

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  for (const [name, pages] of Object.entries(looks)) served.push({ name, server: await servePages(pages) });
  browser = await launchBrowser({ bypassCsp: false });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await Promise.all(served.map(({ server }) => server.close()));
  remove();
});

const overflow = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/** A narrow window in light mode and a wide one in dark mode. With configured colours all four combinations. */
async function photograph(page: Page, look: string, name: string): Promise<void> {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
    expect(await overflow(page)).toBe(0);
    for (const colorScheme of colorSchemes) {
      if (look !== 'branded' && (width === 390) !== (colorScheme === 'light')) continue;
      await page.emulateMedia({ colorScheme });
      const path = join(screenshots, `${look}-${name}-${width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
}

describe.each(Object.keys(looks))('%s', (look) => {
  test.each(names)('%s is accessible and small, and sends requests only to the issuer', async (name) => {
    const { origin } = served.find((each) => each.name === look)?.server ?? { origin: '' };
    const page = await browser.context.newPage();
    const complaints: string[] = [];
    const bodies: Promise<Buffer>[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('response', (response) => {
      if (!response.ok()) complaints.push(`${response.status()} ${response.url()}`);
      bodies.push(response.body());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) complaints.push(`asked ${request.url()}`);
    });
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(`${origin}/${name}`, { waitUntil: 'load' });
    expect(await overflow(page)).toBe(0);
    expect(await page.evaluate('document.documentElement.dir')).toBe(look === 'arabic' ? 'rtl' : 'ltr');
    const sizes = (await Promise.all(bodies)).map(({ length }) => length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(30_000);
    // Another language changes neither structure nor colours, which other tests check for every page.
    if (look === 'branded' || name === 'sign-in') expect(await findByAxe(page)).toEqual([]);
    await photograph(page, look, name);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';
import { packageRoot } from '../../provider/lib/package-root.ts';

const folder = join(packageRoot, 'artifacts', 'screenshots');
const windows = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

/** Everything once; what depends on colours again in the dark. */
const axeRuns = {
  light: `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  dark: `axe.run({ runOnly: ['color-contrast', 'link-in-text-block'] })`,
};

const told = ({ id, nodes }: axe.Result) => `${id}: ${nodes.map((node) => node.html).join(' ')}`;

/** The small build: a page takes it in half the time. */
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** Looks at a page as it is now: axe in light and dark, no sideways scrolling, and its pictures in `artifacts/`. */
export async function look(page: Page, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.evaluate(`${axeSource};0`);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const found = (await page.evaluate(axeRuns[colorScheme])) as axe.AxeResults;
    expect(found.violations.map(told)).toEqual([]);
    expect(found.passes.map(({ id }) => id)).toContain('color-contrast');
  }
  for (const size of windows) {
    await page.setViewportSize(size);
    expect(await page.evaluate(overflow)).toBe(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(folder, `real-${name}-${size.width}-${colorScheme}.png`) });
    }
  }
}

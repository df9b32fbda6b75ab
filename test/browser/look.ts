import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { colorSchemes, findByAxe } from './axe-runs.ts';

const folder = join(packageRoot, 'artifacts', 'screenshots');
const windows = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
];

const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

/** Checks the page in its current state: axe in light and dark mode, no sideways scrolling, and pictures in `artifacts/`. */
export async function look(page: Page, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  expect(await findByAxe(page)).toEqual([]);
  for (const size of windows) {
    await page.setViewportSize(size);
    expect(await page.evaluate(overflow)).toBe(0);
    for (const colorScheme of colorSchemes) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(folder, `real-${name}-${size.width}-${colorScheme}.png`) });
    }
  }
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** The minified build, which a page loads in half the time. */
const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const colorSchemes = ['light', 'dark'] as const;

/** All rules run in light mode. The rules about colours run in dark mode too. */
const runs = {
  light: `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  dark: `axe.run({ runOnly: ['color-contrast', 'link-in-text-block'] })`,
};

const told = ({ id, nodes }: AxeResults['violations'][number]) =>
  `${id}: ${nodes.map(({ html }) => html).join(' ')}`;

/**
 * Returns the findings of axe on a page in light and dark mode: violations, and colours that it couldn't check. Throws if it
 * checked no colours.
 */
export async function findByAxe(page: Page): Promise<string[]> {
  await page.evaluate(`${source};0`);
  const found: string[] = [];
  for (const colorScheme of colorSchemes) {
    await page.emulateMedia({ colorScheme });
    const { violations, passes, incomplete } = (await page.evaluate(runs[colorScheme])) as AxeResults;
    if (!passes.some(({ id }) => id === 'color-contrast')) throw new Error('axe judged no colours');
    const unsure = incomplete.filter(({ id }) => id === 'color-contrast');
    found.push(...[...violations, ...unsure].map((each) => `in the ${colorScheme}: ${told(each)}`));
  }
  return found;
}

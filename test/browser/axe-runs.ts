import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** The small build: a page takes it in half the time. */
const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const colorSchemes = ['light', 'dark'] as const;

/** Everything once; what depends on colours again in the dark. */
const runs = {
  light: `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  dark: `axe.run({ runOnly: ['color-contrast', 'link-in-text-block'] })`,
};

const told = ({ id, nodes }: AxeResults['violations'][number]) =>
  `${id}: ${nodes.map(({ html }) => html).join(' ')}`;

/**
 * What axe finds on a page, in light and dark: what is wrong, and colours it couldn't judge. Throws when it judged no
 * colours at all.
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

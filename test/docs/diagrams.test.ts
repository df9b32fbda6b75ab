import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { launchBrowser, type TestBrowser } from '../support/chromium.ts';
import { blocksOf } from '../support/page-blocks.ts';
import { repositoryFiles } from './markdown-pages.ts';

const pages = repositoryFiles.filter((path) => path.endsWith('.md'));

const diagrams = pages.flatMap((page) => {
  const blocks = blocksOf(readFileSync(page, 'utf8')).filter(({ language }) => language === 'mermaid');
  return blocks.map(({ text }, index) => ({ name: `${page}, diagram ${index + 1}`, text }));
});

/** What the script of Mermaid adds to a web page. */
declare const mermaid: {
  initialize(options: { startOnLoad: boolean }): void;
  render(id: string, text: string): Promise<{ svg: string }>;
};

let browser: TestBrowser;
let page: Page;
beforeAll(async () => {
  browser = await launchBrowser();
  page = await browser.context.newPage();
  await page.addScriptTag({ path: 'node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js' });
  await page.evaluate(() => mermaid.initialize({ startOnLoad: false }));
}, 120_000);
afterAll(() => browser?.close());

/** Draws a diagram with Mermaid, and gives its text. Rejects with the message of Mermaid's parser. */
async function drawnText(text: string): Promise<string> {
  const svg = await page.evaluate(async (source) => (await mermaid.render('diagram', source)).svg, text);
  return svg.replace(/<style>.*?<\/style>/s, '').replace(/<[^>]*>/g, ' ');
}

test('a diagram with a mistake is found', async () => {
  await expect(drawnText('sequenceDiagram\n  A->>B: yes')).resolves.toContain('yes');
  await expect(drawnText('sequenceDiagram\n  A->>B no')).rejects.toThrow('Parse error on line');
  await expect(drawnText('flowchart LR\n  A[yes] --> B[no')).rejects.toThrow('Parse error on line');
  await expect(drawnText('sequencediagrams\n  A->>B: no')).rejects.toThrow('No diagram type detected');
});

test('every diagram is a block that this test reads', () => {
  const begun = pages.flatMap(
    (path) => readFileSync(path, 'utf8').match(/^\W*(?:```|~~~) *mermaid/gim) ?? [],
  );
  expect(begun.length).toBe(diagrams.length);
});

test('the pages have the diagrams of the main flows', () => {
  const count = (name: string) => diagrams.filter((one) => one.name.startsWith(`${name},`)).length;
  expect({
    readme: count('README.md'),
    architecture: count('docs/architecture.md'),
    deploy: count('docs/deploy.md'),
  }).toEqual({ readme: 1, architecture: 8, deploy: 1 });
});

test.each(diagrams)('Mermaid draws $name', async ({ text }) => {
  expect((await drawnText(text)).trim()).not.toBe('');
});

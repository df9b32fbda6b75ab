import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A shell block of the page. */
export interface Commands {
  text: string;
  /** What the page says they print. A line `…` stands for any lines, and `…` in a line for any text. */
  prints: string | undefined;
  /** Why no emulator can run them. Undefined: they are run. */
  leftOut: string | undefined;
}

/** A numbered section of the page. */
export interface PageStep {
  title: string;
  commands: Commands[];
}

const pattern =
  /(?:<!-- not rehearsed: (?<leftOut>[\s\S]*?) -->\n+)?^```(?<language>\w+)\n(?<text>[\s\S]*?)^```$/gm;

function commandsIn(section: string): Commands[] {
  const found: Commands[] = [];
  for (const { groups = {} } of section.matchAll(pattern)) {
    const { language, text = '', leftOut } = groups;
    if (language === 'sh') found.push({ text, prints: undefined, leftOut: leftOut?.replaceAll(/\s+/g, ' ') });
    const last = found.at(-1);
    if (language === 'text' && last) last.prints = text;
  }
  return found;
}

/** The steps of a page, in their order. */
export const stepsOf = (page: string): PageStep[] =>
  page
    .split(/^## (?=\d+\. )/m)
    .slice(1)
    .map((section) => ({ title: section.split('\n')[0] ?? '', commands: commandsIn(section) }));

/** The steps of `docs/deploy.md`. */
export const deploymentSteps = (): PageStep[] =>
  stepsOf(readFileSync(join(import.meta.dirname, '../../docs/deploy.md'), 'utf8'));

const asPattern = (line: string) =>
  new RegExp(
    `^\\s*${line
      .trim()
      .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('…', '.*?')
      .replaceAll(/\s+/g, '\\s+')}\\s*$`,
  );

/** The first line of the page that an output lacks, or undefined. The lines must come in the order of the page. */
export function missingLine(prints: string, output: string): string | undefined {
  const lines = output.split('\n');
  let from = 0;
  for (const line of prints.split('\n')) {
    if (line.trim() === '' || line.trim() === '…') continue;
    const at = lines.findIndex((one, index) => index >= from && asPattern(line).test(one));
    if (at < 0) return line;
    from = at + 1;
  }
  return undefined;
}

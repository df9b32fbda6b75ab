import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { createMetrics } from '../../provider/lib/metrics.ts';
import { loggedMessages } from './logged-messages.ts';

const page = readFileSync('docs/operate.md', 'utf8');

/** The cells of the table whose first column has this heading. */
function tableOf(heading: string): string[][] {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const unquoted = (cell = '') => cell.replace(/^`|`$/g, '');
const inOrder = (lines: Iterable<string>) => [...new Set(lines)].sort();

describe('docs/operate.md', () => {
  test('has every log message with its level, and no other', () => {
    const logged = loggedMessages().map(({ level, text }) => `${level}: ${text}`);
    const told = tableOf('message').map(([text, level]) => `${level}: ${unquoted(text)}`);
    expect(logged.length).toBeGreaterThan(30);
    expect(told).toHaveLength(new Set(told).size);
    expect(inOrder(told)).toEqual(inOrder(logged));
  });

  test('says for each message what it means and what to do', () => {
    for (const row of tableOf('message')) {
      expect(row).toHaveLength(4);
      for (const cell of row) expect(cell).not.toBe('');
    }
  });

  test('has every metric, and no other', async () => {
    const metrics = createMetrics({ version: '0' });
    const { body } = await metrics.render();
    const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
    expect(inOrder(tableOf('metric').map(([name]) => unquoted(name)))).toEqual(inOrder(names));
  });
});

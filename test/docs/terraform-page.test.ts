import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const page = readFileSync('docs/terraform.md', 'utf8');

test('the tables of variables and outputs of each root are complete, and the files keep the rules', () => {
  expect(() => execFileSync('node', ['terraform/docs.mjs', '--check'], { stdio: 'pipe' })).not.toThrow();
});

test('the table of sizes has the instances that Terraform chooses', () => {
  const files = readFileSync('terraform/platform/main.tf', 'utf8');
  const sizes = [...files.matchAll(/^ {4}(small|medium|large) = \{\n([\s\S]*?)^ {4}\}/gm)];
  expect(sizes).toHaveLength(3);
  const rows = (first: string) =>
    page
      .split('\n')
      .find((line) => line.startsWith(`| ${first} |`))
      ?.split('|')
      .slice(2, 5)
      .map((cell) => cell.trim());
  const value = (body: string, name: string) => body.match(new RegExp(`${name}\\s*= "?([^",\\n]+)`))?.[1];
  expect(rows('database')).toEqual(
    sizes.map(
      ([, , body = '']) =>
        `\`${value(body, 'instance_class')}\`, ${value(body, 'allocated_storage_gib')} GiB`,
    ),
  );
  expect(rows('cache')).toEqual(
    sizes.map(([, , body = '']) => `${value(body, 'nodes')} × \`${value(body, 'node_type')}\``),
  );
});

test('every setting that Terraform names exists', () => {
  const known = readFileSync('docs/configuration.md', 'utf8');
  const files = execFileSync('git', ['ls-files', 'terraform/*.tf'], { encoding: 'utf8' }).trim().split('\n');
  const named = files.flatMap((file) => readFileSync(file, 'utf8').match(/GATEHOUSE_\w*[A-Z](?!\w)/g) ?? []);
  expect(new Set(named).size).toBeGreaterThan(15);
  expect(named.filter((name) => !known.includes(`| \`${name}\` |`))).toEqual([]);
});

test('the costs in the table add up', () => {
  const lines = page.split('\n');
  const from = lines.findIndex((line) => line.startsWith('| a month, in dollars'));
  const rows = lines.slice(from + 2, lines.indexOf('', from)).map((line) =>
    line
      .split('|')
      .slice(2, 5)
      .map((cell) => Number(cell.replace(',', ''))),
  );
  const sums = [0, 1, 2].map((size) => rows.slice(0, -1).reduce((sum, row) => sum + (row[size] ?? 0), 0));
  expect(sums).toEqual(rows.at(-1));
  const stated =
    lines
      .find((line) => line.startsWith('| cost a month'))
      ?.split('|')
      .slice(2, 5) ?? [];
  const rounded = stated.map((cell) => Number(cell.replace(/[$,]/g, '')));
  expect(rounded.map((cost, size) => Math.abs(cost - (sums[size] ?? 0)) <= 10)).toEqual([true, true, true]);
});

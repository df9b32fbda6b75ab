import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { deploymentSteps, missingLine, stepsOf } from '../rehearsal/page.ts';
import { repositoryFiles } from './markdown-pages.ts';

const page = readFileSync('docs/deploy.md', 'utf8');
const steps = deploymentSteps();
const sections = page.split(/^## (?=\d+\. )/m).slice(1);

describe('the page from an empty account to the first sign-in', () => {
  test('has seventeen steps in order, and the table at its beginning names those with commands', () => {
    expect(steps.map(({ title }) => Number.parseInt(title, 10))).toEqual(
      Array.from({ length: 17 }, (_, index) => index + 1),
    );
    const listed = steps.slice(0, -1).map(({ title }) => title);
    for (const title of listed) expect(page).toContain(`| [${title}](#`);
  });

  test.each(sections.slice(0, -1).map((section) => [section.split('\n')[0], section]))(
    'step %s has commands, says how to tell that it worked, and names the usual failure',
    (_title, section = '') => {
      expect(stepsOf(`## ${section}`)[0]?.commands.length).toBeGreaterThan(0);
      expect(section).toMatch(/^- \*\*It worked\*\*: /m);
      expect(section).toMatch(/^- \*\*Usual failure\*\*: /m);
    },
  );

  test('every block of commands is run by the rehearsal, or has a reason why it is not', () => {
    const all = steps.flatMap(({ commands }) => commands);
    expect(all).toHaveLength([...page.matchAll(/^```sh$/gm)].length);
    expect([...page.matchAll(/<!-- not rehearsed: /g)]).toHaveLength(
      all.filter(({ leftOut }) => leftOut).length,
    );
    expect(all.filter(({ leftOut }) => leftOut === undefined).length).toBeGreaterThan(20);
    expect(all.filter(({ leftOut }) => leftOut !== undefined && leftOut.length < 20)).toEqual([]);
  });

  test('the cost in the first paragraph is that of the table of sizes', () => {
    const [, cost] = /^\| cost a month, about \| (\$[\d,]+) \|/m.exec(
      readFileSync('docs/terraform.md', 'utf8'),
    ) ?? [undefined, 'no cost'];
    expect(page.split('\n\n')[1]).toContain(`costs about ${cost} a month`);
  });

  test('the commands are valid for bash', () => {
    for (const { text } of steps.flatMap(({ commands }) => commands))
      expect(() => execFileSync('bash', ['-n'], { input: text, stdio: 'pipe' })).not.toThrow();
  });

  test('every message in the table that is of Gatehouse, the chart or the roots is in their files', () => {
    const theirs = repositoryFiles.filter((path) =>
      /^(provider|adapters|charts|terraform)\/.*\.(ts|tf|sh|yaml)$/.test(path),
    );
    const sources = theirs.map((path) => readFileSync(path, 'utf8')).join('\n');
    /** Messages of AWS, Kubernetes and Terraform. */
    const foreign = [
      'Unable to locate credentials',
      'ExpiredToken',
      'AddressLimitExceeded',
      'You must be logged in to the server',
      'PAM authentication failed',
      'ErrImagePull',
      'ImagePullBackOff',
      'unhealthy',
      'BucketAlreadyExists',
      'scheduled for deletion',
    ];
    const table =
      sections
        .at(-1)
        ?.split('\n')
        .filter((line) => line.startsWith('| ')) ?? [];
    const messages = table
      .slice(1)
      .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, message]) => message))
      .filter((message = '') => !message.startsWith('{"message"') && !foreign.includes(message));
    expect(messages.length).toBeGreaterThan(7);
    expect(messages.filter((message = '') => !sources.includes(message))).toEqual([]);
  });
});

describe('what the rehearsal compares', () => {
  test('a line that was not printed, or not in this order, is found', () => {
    expect(missingLine('one\n…\nthree', 'one\ntwo\nthree\n')).toBeUndefined();
    expect(missingLine('one\ntwo', 'two\none\n')).toBe('two');
    expect(missingLine('Plan: 3 to add', 'Plan: 4 to add\n')).toBe('Plan: 3 to add');
  });

  test('three dots stand for any text of a line, and the number of spaces does not count', () => {
    expect(missingLine('KID … STATE', 'KID  CREATED   STATE\n')).toBeUndefined();
    expect(missingLine('KID … STATE', 'KID  CREATED\n')).toBe('KID … STATE');
  });

  test('a reason belongs to the next block only', () => {
    const text =
      '## 1. A\n\n<!-- not rehearsed: no such\nthing here -->\n\n```sh\na\n```\n\n```sh\nb\n```\n\n```text\nc\n```\n';
    expect(stepsOf(text)).toEqual([
      {
        title: '1. A',
        commands: [
          { text: 'a\n', prints: undefined, leftOut: 'no such thing here' },
          { text: 'b\n', prints: 'c\n', leftOut: undefined },
        ],
      },
    ]);
  });
});

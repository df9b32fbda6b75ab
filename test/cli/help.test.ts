import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { CliCommand } from '../../provider/bin/cli/cli-command.ts';
import { exitCodes } from '../../provider/bin/cli/command-failure.ts';
import { createProgram } from '../../provider/bin/cli/program.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';

const withAllBelow = (command: CliCommand): CliCommand[] => [
  command,
  ...command.children.flatMap(withAllBelow),
];
const program = createProgram();
const all = withAllBelow(program).map((command): [string, CliCommand] => [command.path, command]);
const leaves = all.filter(([, { children }]) => children.length === 0);

/** The words of a command line after `gatehouse`, up to the first shell operator. */
function words(example: string): string[] {
  const [, line = ''] = /(?:^|[ (])gatehouse ([^<>|)]*)/.exec(example) ?? [];
  return line.trim().split(/ +/);
}

test('the list of commands is complete', () => {
  expect(leaves.map(([path]) => path.replace('gatehouse ', ''))).toEqual([
    ...['dev', 'serve', 'worker', 'operator', 'migrate', 'config check', 'config docs'],
    ...['list', 'show', 'create', 'invite', 'disable', 'enable'].map((name) => `accounts ${name}`),
    ...['set-password', 'reset-factors', 'set-roles', 'import', 'export'].map((name) => `accounts ${name}`),
    ...['sessions list', 'sessions end', 'tokens revoke', 'passwords blocklist build'],
    ...[
      'validate',
      'registration-token',
      'registered',
      'delete-registered',
      'new',
      'diff',
      'apply',
      'list',
      'show',
      'delete',
      'rotate-secret',
      'new-secret',
      'end-secret',
    ].map((name) => `clients ${name}`),
    ...['create', 'list', 'rotate', 'retire', 'import', 'export'].map((name) => `keys ${name}`),
    ...[
      'events failed',
      'logouts failed',
      'mail test',
      'mail failed',
      'mail suppressed',
      'mail unsuppress',
      'doctor',
      'version',
      'completion',
    ],
  ]);
});

describe.each(all)('%s', (path, command) => {
  test('describes the command and shows an example of it', () => {
    const help = command.helpInformation();
    expect(command.description()).toMatch(/\.$/);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) expect(help).toContain(`\n  ${example}\n`);
  });

  test('has valid examples', () => {
    for (const example of command.examples) {
      const typed = words(example);
      const meant = all.findLast(([known]) => `gatehouse ${typed.join(' ')} `.startsWith(`${known} `));
      expect(`${meant?.[0]} `).toMatch(new RegExp(`^${path} `));
      const flags = typed.filter((word) => word.startsWith('-') && word !== '-');
      const known = meant?.[1].options.flatMap(({ long, short }) => [long, short]) ?? [];
      expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
    }
  });

  test('accepts no password and no token as an argument', () => {
    const named = [
      // An option without a value may say that one comes by standard input.
      ...command.options
        .filter((one) => one.required || one.optional)
        .map(({ flags }) => flags)
        // A folder is not a secret itself.
        .filter((flags) => !flags.endsWith(' <folder>')),
      ...command.registeredArguments.map((a) => a.name()),
    ];
    expect(named.filter((name) => /password|secret|token/i.test(name))).toEqual([]);
  });
});

test.each(leaves)('%s can print JSON, and is in docs/cli.md', (path, command) => {
  expect(command.options.map(({ long }) => long)).toContain('--json');
  expect(readFileSync(join(packageRoot, 'docs', 'cli.md'), 'utf8')).toContain(`\n## \`${path}\`\n`);
});

test('docs/cli.md has all exit codes', () => {
  const page = readFileSync(join(packageRoot, 'docs', 'cli.md'), 'utf8');
  for (const { code, meaning } of Object.values(exitCodes))
    expect(page).toContain(`| ${code} | ${meaning} |`);
});

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { CliCommand } from '../../provider/bin/cli/cli-command.ts';
import { createProgram } from '../../provider/bin/cli/program.ts';
import { settingList } from '../../provider/config/schema.ts';
import { blocksOf } from '../support/page-blocks.ts';

const pages = [
  'README.md',
  ...readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : [])),
];

/** The commands in the shell blocks of a page, each without comments and up to a shell operator. */
function typedIn(file: string): string[] {
  const shell = blocksOf(readFileSync(file, 'utf8')).filter(({ language }) => language === 'sh');
  const lines = shell.flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
  return lines.flatMap((line) => line.replace(/ #.*$/, '').split(/&&|[;|]/)).map((command) => command.trim());
}

/** The problem of a `gatehouse` command line. Undefined if the command and its options exist. */
function wrongWith(typed: string): string | undefined {
  const [, ...words] = typed.replace(/ [<>].*$/, '').split(/\s+/);
  let command: CliCommand = createProgram();
  for (const word of words) {
    const child = command.children.find((one) => one.name() === word);
    if (child) command = child;
    else if (command.children.length > 0) return `${command.path} has no ${word}`;
    else if (word.startsWith('-') && word !== '-' && !isOptionOf(command, word))
      return `${command.path} has no option ${word}`;
  }
  return command.children.length > 0 ? `${command.path} does nothing by itself` : undefined;
}

const isOptionOf = ({ options }: CliCommand, word: string) =>
  options.some(({ long, short }) => long === word || short === word);

const withoutSettings = (command: string) => command.replace(/^(?:export )?(?:[A-Z_]+=\S+\s*)*/, '');

const typed = pages.flatMap((page) => typedIn(page).map((line) => ({ page, line })));
const commands = typed.map(({ page, line }) => ({ page, command: withoutSettings(line) }));

describe('commands in the documentation', () => {
  test('every gatehouse command exists, with its options', () => {
    const own = commands.filter(({ command }) => command.startsWith('gatehouse '));
    expect(own.filter(({ page }) => page === 'docs/first-hour.md').length).toBeGreaterThan(8);
    const wrong = own.map(({ page, command }) => ({ page, wrong: wrongWith(command) }));
    expect(wrong.filter((one) => one.wrong !== undefined)).toEqual([]);
  });

  test('a command or an option that does not exist is found', () => {
    expect(wrongWith('gatehouse sessions stop ann@example.com')).toBe('gatehouse sessions has no stop');
    expect(wrongWith('gatehouse accounts import - --dryrun')).toContain('no option --dryrun');
    expect(wrongWith('gatehouse accounts')).toContain('does nothing by itself');
  });

  test('every target of make exists', () => {
    const makefile = readFileSync('Makefile', 'utf8');
    const targets = commands.flatMap(({ command }) => /^make ([a-z-]+)/.exec(command)?.[1] ?? []);
    expect(targets).toEqual(expect.arrayContaining(['run', 'build']));
    for (const target of targets) expect(makefile).toMatch(new RegExp(`^${target}:`, 'm'));
  });

  test('every setting exists', () => {
    const names: string[] = settingList.map(({ setting }) => setting.name);
    const set = typed.flatMap(({ page, line }) =>
      [...line.matchAll(/\b(GATEHOUSE_\w+)=/g)].map(([, name = '']) => ({ page, name })),
    );
    const unknown = set.filter(({ name }) => !names.includes(name));
    // This is one of three intended mistakes on this page.
    expect(unknown).toEqual([{ page: 'docs/first-hour.md', name: 'GATEHOUSE_CLIENT_FILE' }]);
  });
});

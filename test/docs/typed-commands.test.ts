import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import type { CliCommand } from '../../provider/bin/cli/cli-command.ts';
import { createProgram } from '../../provider/bin/cli/program.ts';
import { codeIn, pages, shellLinesIn } from './markdown-pages.ts';

/** The commands in the shell blocks of a page, each up to a shell operator. */
const typedIn = (text: string) =>
  shellLinesIn(text)
    .flatMap((line) => line.split(/&&|[;|]/))
    .map((command) => command.trim());

/** The problem of a `gatehouse` command line. Undefined if the command and its options exist. */
function wrongWith(typed: string): string | undefined {
  const [, ...words] = typed.replace(/ [<>].*$/, '').split(/\s+/);
  let command: CliCommand = createProgram();
  for (const word of words) {
    const child = command.children.find((one) => one.name() === word);
    if (child) command = child;
    else if (word.startsWith('-') && word !== '-') {
      if (!isOptionOf(command, word)) return `${command.path} has no option ${word}`;
    } else if (command.children.length > 0) return `${command.path} has no ${word}`;
  }
  return command.children.length > 0 ? `${command.path} does nothing by itself` : undefined;
}

const isOptionOf = ({ options }: CliCommand, word: string) =>
  ['--help', '-h'].includes(word) || options.some(({ long, short }) => long === word || short === word);

/** The problem of a command in a sentence, which may name a group of commands, or several: `clients apply|diff`. */
function wrongInSentence(code: string): string | undefined {
  const [alternatives = ''] = /\S+\|\S+/.exec(code) ?? [];
  const commands = alternatives.split('|').map((one) => code.replace(alternatives, one));
  return commands.map(wrongWith).find((wrong) => wrong && !wrong.endsWith('does nothing by itself'));
}

/** Removes variables in front of a command, and what runs it in a container. */
const ownPart = (command: string) =>
  command.replace(/^(?:export )?(?:[A-Z_]+=\S+\s*)*/, '').replace(/^kubectl .* -- /, '');

const commands = pages.flatMap(({ path, text }) =>
  typedIn(text).map((line) => ({ page: path, command: ownPart(line) })),
);
const inSentences = pages.flatMap(({ path, text }) =>
  codeIn(text).map((command) => ({ page: path, command })),
);

/** A message in the log of `gatehouse serve`. */
const message = 'gatehouse is ready';

describe('commands in the documentation', () => {
  test('every gatehouse command exists, with its options', () => {
    const own = commands.filter(({ command }) => command.startsWith('gatehouse '));
    expect(own.filter(({ page }) => page === 'docs/first-hour.md').length).toBeGreaterThan(8);
    const wrong = own.map(({ page, command }) => ({ page, wrong: wrongWith(command) }));
    expect(wrong.filter((one) => one.wrong !== undefined && !one.wrong.startsWith('gatehouse does'))).toEqual(
      [],
    );
  });

  test('every gatehouse command in a sentence exists, with its options', () => {
    const own = inSentences.filter(({ command }) => /^gatehouse [a-z-]/.test(command) && command !== message);
    expect(own.length).toBeGreaterThan(100);
    const wrong = own.map(({ page, command }) => ({ page, wrong: wrongInSentence(command) }));
    expect(wrong.filter((one) => one.wrong !== undefined)).toEqual([]);
  });

  test('a command or an option that does not exist is found', () => {
    expect(wrongWith('gatehouse sessions stop ann@example.com')).toBe('gatehouse sessions has no stop');
    expect(wrongWith('gatehouse accounts import - --dryrun')).toContain('no option --dryrun');
    expect(wrongWith('gatehouse accounts')).toContain('does nothing by itself');
    expect(wrongInSentence('gatehouse accounts')).toBeUndefined();
    expect(wrongInSentence('gatehouse clients apply|diff -f clients.yaml')).toBeUndefined();
    expect(wrongInSentence('gatehouse clients apply|compare')).toBe('gatehouse clients has no compare');
    expect(typedIn('1. Do:\n\n   ```sh\n   true && gatehouse serv\n   ```\n')).toEqual([
      'true',
      'gatehouse serv',
    ]);
    expect(ownPart('kubectl exec deploy/gatehouse -- gatehouse keys list')).toBe('gatehouse keys list');
  });

  test('every target of make exists', () => {
    const makefile = readFileSync('Makefile', 'utf8');
    const targets = [...commands, ...inSentences].flatMap(
      ({ command }) => /^make ([a-z-]+)/.exec(command)?.[1] ?? [],
    );
    expect(targets).toEqual(expect.arrayContaining(['run', 'build', 'cluster-test']));
    expect(targets.filter((target) => !new RegExp(`^${target}:`, 'm').test(makefile))).toEqual([]);
  });

  test('every script of npm exists', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    const named = [...commands, ...inSentences].flatMap(
      ({ command }) => /\bnpm run (?:--silent )?([\w-]+)/.exec(command)?.[1] ?? [],
    );
    expect(named).toEqual(expect.arrayContaining(['build', 'generate']));
    expect(named.filter((name) => !Object.keys(scripts).includes(name))).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { completionScript } from '../../provider/bin/cli/completion.ts';
import { createProgram } from '../../provider/bin/cli/program.ts';

const script = completionScript('bash', createProgram());

/** Defines the function and calls it as bash does, for the words after the script. */
const complete = `eval "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_gatehouse; printf '%s\\n' "\${COMPREPLY[@]}"`;

function bash(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** The suggestions of bash after the given words. The last word is incomplete. */
function completions(...typed: string[]): string[] {
  const { stdout, stderr } = bash('-c', complete, 'bash', script, 'gatehouse', ...typed);
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

test('the script for bash is valid', () => {
  expect(bash('-n', '-c', script)).toEqual({ status: 0, stdout: '', stderr: '' });
});

test.each([
  [['acc'], ['accounts']],
  [
    ['accounts', 'set-'],
    ['set-password', 'set-roles'],
  ],
  [['accounts', '--json', 'list', '--l'], ['--limit']],
  [
    ['keys', ''],
    ['create', 'list', 'rotate', 'retire', 'import', 'export', '--help'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', '--json', '--help'],
  ],
  [
    ['sessions', ''],
    ['list', 'end', '--help'],
  ],
  [
    ['sessions', 'end', 'ann@example.com', '--'],
    ['--session', '--client', '--all', '--json', '--help'],
  ],
  [['clients', 'validate', '-f', 'clients'], []],
])('after %j bash suggests %j', (typed, offered) => {
  expect(completions(...typed)).toEqual(offered);
});

test('the script for zsh has every command with its description', () => {
  const program = createProgram();
  const zsh = completionScript('zsh', program);
  for (const group of program.children) {
    // An unescaped colon would end the completed word.
    const description = group.description().replaceAll(':', '\\:');
    const word = `${group.name()}:${description}`.replaceAll("'", "'\\''");
    expect(zsh).toContain(`'${word}'`);
    for (const { path } of group.children)
      expect(zsh).toContain(`('/${path.split(' ').slice(1).join('/')}')`);
  }
});

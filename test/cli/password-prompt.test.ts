import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { waitFor } from '../support/wait-for.ts';
import { useAccountDatabase } from './account-database.ts';

// Each test starts the program several times, and the machine may be busy.
jest.setTimeout(120_000);

const database = useAccountDatabase();

/** Runs a command on a terminal and types each answer after its question. Returns the text of the terminal. */
async function onTerminal(args: string[], answers: [question: string, typed: string][]) {
  const program = join(process.env.GATEHOUSE_TEST_BUILD ?? '', 'provider', 'bin', 'cli.js');
  const line = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-q', '-e', '-c', line, '/dev/null'], {
    cwd: database.place().folder,
    env: { ...process.env, ...database.env() },
  });
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const closed = once(child, 'close');
  for (const [question, typed] of answers) {
    await waitFor(() => shown.endsWith(question), { what: question, timeoutMs: 60_000 });
    child.stdin.write(typed);
  }
  const [code] = await closed;
  child.stdin.end();
  return { code, shown };
}

test('the prompt asks for a password twice and never shows it', async () => {
  const { code, shown } = await onTerminal(
    ['accounts', 'create', '--email', 'ann@example.com'],
    [
      ['New password: ', 'correct-horse-batterx\x7fy\r'],
      ['Once more: ', 'correct-horse-battery\r'],
    ],
  );
  expect({ code, shown }).toEqual({
    code: 0,
    shown: expect.stringMatching(/^New password: \r\nOnce more: \r\nuser_\S+\r\n$/),
  });
  expect((await database.events()).map(([type]) => type)).toEqual(['user.created']);
});

test('both answers can be pasted at once', async () => {
  const pasted = 'quite another password\rquite another password\r';
  const args = ['accounts', 'create', '--email', 'bob@example.com'];
  const { code, shown } = await onTerminal(args, [['New password: ', pasted]]);
  expect(code).toBe(0);
  expect(shown).not.toContain('quite');
  expect((await database.events()).map(([type]) => type)).toEqual(['user.created']);
});

test.each([
  [
    'two different passwords',
    [
      ['New password: ', 'one of the passwords\r'],
      ['Once more: ', 'another-password\r'],
    ],
    64,
    /differ/,
  ],
  ['an empty password', [['New password: ', '\r']], 64, /No password was typed/],
  ['the end of input', [['New password: ', '\x04']], 64, /No password was typed/],
  ['Ctrl-C', [['New password: ', 'half\x03']], 130, /Interrupted/],
] as [string, [string, string][], number, RegExp][])(
  'for %s the command changes nothing',
  async (_, answers, expected, message) => {
    const { code, shown } = await onTerminal(['accounts', 'create', '--email', 'eve@example.com'], answers);
    expect({ code, shown }).toEqual({ code: expected, shown: expect.stringMatching(message) });
    expect(shown).not.toMatch(/one-password|another-password|half/);
    expect((await database.events()).map(([type]) => type)).toEqual([]);
  },
);

test('an export is refused on a terminal', async () => {
  const { code, shown } = await onTerminal(['accounts', 'export'], []);
  expect({ code, shown }).toEqual({ code: 64, shown: expect.stringContaining('belongs into no terminal') });
});

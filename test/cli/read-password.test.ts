import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { readPassword } from '../../provider/bin/cli/read-password.ts';

/** Reads a password from standard input with the given text. */
function reading(...chunks: (string | Buffer)[]): Promise<string> {
  const input = new PassThrough();
  for (const chunk of chunks) input.write(chunk);
  input.end();
  return readPassword({ input: input as unknown as NodeJS.ReadStream, prompts: new PassThrough() });
}

test.each([
  ['unchanged', ['hunter2 ü'], 'hunter2 ü'],
  ['without the last line break', ['hunter2\n'], 'hunter2'],
  ['without the last Windows line break', ['\uFEFFhunter2\r\n'], 'hunter2'],
  ['with its spaces', [' hunter2 \n'], ' hunter2 '],
  ['in pieces that split a character', [Buffer.from([0xc3]), Buffer.from([0xbc])], 'ü'],
])('a password from standard input is read %s', async (_, chunks, password) => {
  expect(await reading(...chunks)).toBe(password);
});

test.each([
  ['nothing', [], /No password came/],
  ['a line break only', ['\n'], /No password came/],
  ['two lines', ['hunter2\nhunter2\n'], /More than one line/],
  ['text that is not UTF-8', [Buffer.from([0xfc])], /not UTF-8/],
  ['a text that is too long', ['hunter2'.repeat(10_000)], /too long/],
])('%s is refused', async (_, chunks, message) => {
  const refused = reading(...chunks);
  await expect(refused).rejects.toMatchObject({ ending: 'usage', message: expect.stringMatching(message) });
  await expect(refused).rejects.not.toThrow(/hunter2/);
});

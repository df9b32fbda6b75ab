import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { readPassword } from '../../provider/bin/cli/read-password.ts';

/** What is read from standard input that holds this. */
function reading(...chunks: (string | Buffer)[]): Promise<string> {
  const input = new PassThrough();
  for (const chunk of chunks) input.write(chunk);
  input.end();
  return readPassword({ input: input as unknown as NodeJS.ReadStream, prompts: new PassThrough() });
}

test.each([
  ['as it is', ['hunter2 ü'], 'hunter2 ü'],
  ['without the line break at its end', ['hunter2\n'], 'hunter2'],
  ['without that of Windows', ['\uFEFFhunter2\r\n'], 'hunter2'],
  ['with its blanks', [' hunter2 \n'], ' hunter2 '],
  ['in pieces that cut a letter', [Buffer.from([0xc3]), Buffer.from([0xbc])], 'ü'],
])('a password by standard input is taken %s', async (_, chunks, password) => {
  expect(await reading(...chunks)).toBe(password);
});

test.each([
  ['nothing', [], /No password came/],
  ['a line break alone', ['\n'], /No password came/],
  ['two lines', ['hunter2\nhunter2\n'], /More than one line/],
  ['what is not UTF-8', [Buffer.from([0xfc])], /not UTF-8/],
  ['too much', ['hunter2'.repeat(10_000)], /too long/],
])('%s is refused', async (_, chunks, message) => {
  const refused = reading(...chunks);
  await expect(refused).rejects.toMatchObject({ ending: 'usage', message: expect.stringMatching(message) });
  await expect(refused).rejects.not.toThrow(/hunter2/);
});

import { CommandFailure } from './command-failure.ts';

/** The maximum length of a token. No request header may be this long. */
const mostBytes = 16_384;

const refused = (message: string) => new CommandFailure('usage', message, { code: 'unreadable_token' });

/** What a person can do instead, for the command that ends tokens. */
const endWithout = ', or say what to end: --id, --family or --client';

/**
 * Reads a token from standard input. A token is never an argument, because arguments appear in the process list and in
 * the shell's history. Throws a CommandFailure that doesn't repeat the token.
 *
 * @param instead what a person can do without a token, as the end of a sentence
 */
export async function readToken(
  input: NodeJS.ReadStream = process.stdin,
  instead: string = endWithout,
): Promise<string> {
  if (input.isTTY) throw refused(`Pipe a token in${instead}.`);
  let text = '';
  for await (const chunk of input.setEncoding('latin1')) {
    text += chunk;
    if (text.length > mostBytes) throw refused('What came by standard input is too long for a token.');
  }
  const token = text.trim().replace(/^bearer +/i, '');
  if (token === '') throw refused(`No token came by standard input. Pipe one in${instead}.`);
  return token;
}

import { CommandFailure } from './command-failure.ts';

/** The maximum length of a token. No request header may be this long. */
const mostBytes = 16_384;

const refused = (message: string) => new CommandFailure('usage', message, { code: 'unreadable_token' });

/**
 * Reads a token from standard input. A token is never an argument, because arguments appear in the process list and in
 * the shell's history. Throws a CommandFailure that doesn't repeat the token.
 */
export async function readToken(input: NodeJS.ReadStream = process.stdin): Promise<string> {
  if (input.isTTY) throw refused('Pipe a token in, or say what to end: --id, --family or --client.');
  let text = '';
  for await (const chunk of input.setEncoding('latin1')) {
    text += chunk;
    if (text.length > mostBytes) throw refused('What came by standard input is too long for a token.');
  }
  const token = text.trim().replace(/^bearer +/i, '');
  if (token === '')
    throw refused(
      'No token came by standard input. Pipe one in, or say what to end: --id, --family or --client.',
    );
  return token;
}

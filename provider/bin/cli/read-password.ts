import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandFailure } from './command-failure.ts';

/** The input that a password comes from, and the output that shows the prompts. */
export interface PasswordSource {
  input: NodeJS.ReadStream;
  prompts: NodeJS.WritableStream;
}

const mostBytes = 65_536;

const refused = (message: string) => new CommandFailure('usage', message, { code: 'unreadable_password' });

/**
 * Reads a new password. On a terminal, it asks for it twice and doesn't show it. Otherwise it reads all of standard
 * input and removes one line break at the end. A password is never an argument, because arguments appear in the process
 * list and in the shell's history. Throws a CommandFailure that doesn't repeat the password.
 */
export async function readPassword(
  { input, prompts }: PasswordSource = { input: process.stdin, prompts: process.stderr },
): Promise<string> {
  return input.isTTY ? askTwice(input, prompts) : readAll(input);
}

async function readAll(input: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > mostBytes) throw refused('What came by standard input is too long for a password.');
  }
  const password = decode(Buffer.concat(chunks)).replace(/\r?\n$/, '');
  if (password === '')
    throw refused('No password came by standard input. Pipe one in, or run it on a terminal.');
  if (/[\r\n]/.test(password)) throw refused('More than one line came by standard input: a password is one.');
  return password;
}

/** Decodes strictly. The usual lenient decoding would change a password that is in another encoding. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refused('What came by standard input is not UTF-8. Convert it first.');
  }
}

async function askTwice(input: NodeJS.ReadStream, prompts: NodeJS.WritableStream): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  const interrupted = new Promise<never>((_resolve, reject) => {
    terminal.on('SIGINT', () =>
      reject(new CommandFailure('interrupted', 'Interrupted.', { code: 'interrupted' })),
    );
  });
  // An iterator keeps lines that were typed or pasted before their prompt appeared.
  const lines = terminal[Symbol.asyncIterator]();
  const ask = async (question: string): Promise<string> => {
    prompts.write(question);
    const line = await Promise.race([lines.next(), interrupted]).finally(() => prompts.write('\n'));
    if (line.done || line.value === '') throw refused('No password was typed. Nothing was changed.');
    return line.value;
  };
  try {
    const password = await ask('New password: ');
    if ((await ask('Once more: ')) !== password) throw refused('The two differ. Nothing was changed.');
    return password;
  } finally {
    terminal.close();
  }
}

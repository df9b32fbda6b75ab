import { readFile as readFromDisk } from 'node:fs/promises';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { refuseReadableByOthers } from '../../provider/lib/secret-files.ts';
import { parseSecretReference } from '../../provider/lib/secret-reference.ts';
import type { Secrets } from '../../provider/ports/secrets.ts';

export interface FileSecretsOptions {
  /** The environment that `env:` references are read from. */
  env: Readonly<Record<string, string | undefined>>;
  /** Reads a file as text; rejects when it can't. */
  readFile?: (path: string) => Promise<string>;
}

function refuse(problem: string): never {
  throw new ConfigurationError([problem]);
}

/**
 * Secrets from files (`file:` and a path, absolute or relative to the working directory at the start) and from the
 * environment (`env:` and a name). Both are read at every call, so a changed file has an effect. One line break at the
 * end is not part of the secret.
 *
 * @throws ConfigurationError when the secret is missing, empty, can't be read, or is in a file that other users may read
 */
export function createFileSecrets(options: FileSecretsOptions): Secrets {
  const readFile = options.readFile ?? ((path: string) => readFromDisk(path, 'utf8'));

  async function fromFile(reference: string, path: string): Promise<string> {
    try {
      refuseReadableByOthers(path, 'a secret');
      return await readFile(path);
    } catch (error) {
      if (error instanceof ConfigurationError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      return refuse(
        `The secret ${reference} can't be read (${code}). Check that the file is there and may be read.`,
      );
    }
  }

  async function read(reference: string): Promise<string> {
    const { scheme, name } = parseSecretReference(reference);
    if (scheme === 'file') return fromFile(reference, name);
    if (scheme !== 'env') return refuse(`${reference} names no file and no variable.`);
    const value = Object.hasOwn(options.env, name) ? options.env[name] : undefined;
    return value ?? refuse(`The secret ${reference} is missing: ${name} is not set. Set it.`);
  }

  async function resolve(reference: string): Promise<string> {
    const secret = (await read(reference)).replace(/\r?\n$/, '');
    if (secret === '') refuse(`The secret ${reference} is empty. Put the secret there.`);
    return secret;
  }

  return { resolve, candidates: async (reference) => [await resolve(reference)] };
}

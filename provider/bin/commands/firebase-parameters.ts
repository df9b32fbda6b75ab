import { readFile } from 'node:fs/promises';
import type { FirebaseParameters } from '../../accounts/import/firebase-hash.ts';
import { ConfigurationError } from '../../lib/errors.ts';

const names = ['base64_signer_key', 'base64_salt_separator', 'rounds', 'mem_cost'] as const;

/**
 * Reads a project's password hash parameters from a file, either in the form that the Firebase console shows or as
 * JSON. The import checks whether they can be right. Throws a ConfigurationError. It never repeats the content of the
 * file, because the key is secret.
 */
export async function readFirebaseParameters(file: string): Promise<FirebaseParameters> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const code = error.code ?? 'unreadable';
    throw new ConfigurationError([
      `The file ${file} can't be read (${code}). Check the path and its permissions.`,
    ]);
  });
  const values = names.map((name) => new RegExp(`\\b${name}"?\\s*:\\s*"?([^\\s",}]+)`).exec(text)?.[1]);
  const missing = names.filter((_, index) => values[index] === undefined);
  if (missing.length > 0) {
    throw new ConfigurationError([
      `${file} lacks ${missing.join(', ')}. Copy the password hash parameters from the Firebase console (Authentication, Users) into it.`,
    ]);
  }
  const [signerKey = '', saltSeparator = '', rounds, memCost] = values;
  return { signerKey, saltSeparator, rounds: Number(rounds), memCost: Number(memCost) };
}

import { accessSync, constants, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigurationError } from './errors.ts';

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuses a file with a secret that its group or other users may read, if this process can write to its folder. A platform
 * such as Kubernetes mounts secrets as symbolic links or in a folder that is not writable, with a mode that we can't change.
 * Such files are accepted. The rule is the same for keys, passwords and all other secrets.
 *
 * @param what completes the sentence "FILE holds …"
 * @throws ConfigurationError; a system error when the path can't be looked at
 */
export function refuseReadableByOthers(path: string, what: string): void {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file === undefined || !file.isFile() || (file.mode & 0o077) === 0 || !isWritable(dirname(path))) return;
  const mode = (file.mode & 0o777).toString(8).padStart(4, '0');
  throw new ConfigurationError([
    `${path} holds ${what}, and others may read it (mode ${mode}). Run: chmod 600 ${path}`,
  ]);
}

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { parseServerSecrets } from '../config/server-secrets.ts';
import { randomToken } from '../lib/ids.ts';
import { refuseReadableByOthers } from '../lib/secret-files.ts';
import type { Secrets } from '../ports/secrets.ts';

/**
 * Returns the secrets that the settings name. Without a reference (development only), it creates a secret once and
 * keeps it in the data folder, so that cookies stay valid after a restart. Throws a ConfigurationError.
 */
export async function resolveServerSecrets(
  { serverSecrets, dataFolder }: Pick<Config, 'serverSecrets' | 'dataFolder'>,
  secrets: Secrets,
): Promise<readonly [string, ...string[]]> {
  if (serverSecrets !== undefined) return parseServerSecrets(await secrets.resolve(serverSecrets));
  const path = join(dataFolder, 'server-secret');
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  await writeFile(path, randomToken(32), { flag: 'wx', mode: 0o600 }).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
  refuseReadableByOthers(path, 'a secret');
  return parseServerSecrets(await readFile(path, 'utf8'));
}

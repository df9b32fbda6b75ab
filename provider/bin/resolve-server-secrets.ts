import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessSecrets } from '../compose/process-secrets.ts';
import type { Config } from '../config/schema.ts';
import { parseServerSecrets } from '../config/server-secrets.ts';
import type { SecretList } from '../keys/server-secrets.ts';
import { randomToken } from '../lib/ids.ts';
import { refuseReadableByOthers } from '../lib/secret-files.ts';

/**
 * Gives a function that reads the secrets that the settings name, as they are now. Its first call throws a
 * ConfigurationError when they can't be used; later, the last good ones stay in use. Without a reference (development
 * only), it creates a secret once and keeps it in the data folder, so that cookies stay valid after a restart.
 */
export function serverSecretsReader(
  { serverSecrets, dataFolder }: Pick<Config, 'serverSecrets' | 'dataFolder'>,
  secrets: Pick<ProcessSecrets, 'follow'>,
): () => Promise<SecretList> {
  if (serverSecrets !== undefined) return secrets.follow(serverSecrets, (text) => parseServerSecrets(text));
  let own: Promise<SecretList> | undefined;
  return () => {
    own ??= ownSecret(dataFolder);
    return own;
  };
}

async function ownSecret(dataFolder: string): Promise<SecretList> {
  const path = join(dataFolder, 'server-secret');
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  await writeFile(path, randomToken(32), { flag: 'wx', mode: 0o600 }).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
  refuseReadableByOthers(path, 'a secret');
  return parseServerSecrets(await readFile(path, 'utf8'));
}

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { type DatabaseTls, readDatabaseUrl } from '../../provider/lib/connection-urls.ts';
import { ConfigurationError } from '../../provider/lib/errors.ts';
import { refuseReadableByOthers } from '../../provider/lib/secret-files.ts';

export interface ConnectionSettings {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
  options?: string;
  ssl: false | ConnectionOptions;
}

function readTlsFile(parameter: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError([
      `The database URL names a file in ${parameter} that can't be read: ${reason}.`,
    ]);
  }
}

function tlsOptions({ verify, caFile, certFile, keyFile }: DatabaseTls): ConnectionOptions {
  const ca = readTlsFile('sslrootcert', caFile);
  const cert = readTlsFile('sslcert', certFile);
  if (keyFile !== undefined) refuseReadableByOthers(keyFile, 'a private key');
  const key = readTlsFile('sslkey', keyFile);
  return {
    rejectUnauthorized: verify,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/**
 * The driver's settings for a `postgres://` URL.
 *
 * @throws ConfigurationError; its message never contains the password
 */
export function connectionSettings(url: string): ConnectionSettings {
  const read = readDatabaseUrl(url);
  if (!read.ok) throw new ConfigurationError(read.problems.map((problem) => `The database URL ${problem}.`));
  const { host, port, user, password, database, options, tls } = read.value;
  return {
    host,
    port,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(options !== undefined && { options }),
    ssl: tls && tlsOptions(tls),
  };
}

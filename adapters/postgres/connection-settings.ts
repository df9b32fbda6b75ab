import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ConfigurationError } from '../../provider/lib/errors.ts';

export interface ConnectionSettings {
  host: string;
  port: number;
  user?: string;
  password?: string;
  database?: string;
  options?: string;
  ssl: false | ConnectionOptions;
}

const parameters = ['host', 'options', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

function problem(text: string): ConfigurationError {
  return new ConfigurationError([`The database URL ${text}`]);
}

function readParameterFile(query: URLSearchParams, parameter: string): string | undefined {
  const path = query.get(parameter);
  if (path === null) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw problem(`names a file in ${parameter} that can't be read: ${reason}`);
  }
}

/**
 * The TLS settings for `sslmode`. The current release of pg reads `require` as 'verify everything', and the next one
 * will read it as 'verify nothing'. So the mode is interpreted here and not by pg. Every mode with TLS verifies the
 * certificate and the host name, except `no-verify`. `prefer` and `allow` are refused, because they accept plain text.
 */
function tlsSettings(query: URLSearchParams): false | ConnectionOptions {
  const mode = query.get('sslmode') ?? (query.has('sslrootcert') ? 'verify-full' : 'disable');
  if (mode === 'disable') return false;
  if (!['no-verify', 'require', 'verify-ca', 'verify-full'].includes(mode))
    throw problem(`has sslmode=${mode}. Use verify-full, or disable where there is no TLS.`);
  // In libpq, `system` means the certificate authorities that the system trusts. Without `ca`, Node uses its own list.
  const ca = query.get('sslrootcert') === 'system' ? undefined : readParameterFile(query, 'sslrootcert');
  const cert = readParameterFile(query, 'sslcert');
  const key = readParameterFile(query, 'sslkey');
  return {
    rejectUnauthorized: mode !== 'no-verify',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

function parse(url: string): URL {
  // The message must not repeat the URL, because the URL contains the password.
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol))
    throw problem("isn't one. Write postgres://user:password@host:5432/database, special characters as %XX.");
  return new URL(url);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw problem('has a % that starts no escape. Write special characters as %XX, a percent sign as %25.');
  }
}

/**
 * Reads a `postgres://` URL. Query parameters: `host` (the folder of a socket), `options`, and for TLS `sslmode`,
 * `sslrootcert`, `sslcert`, `sslkey`.
 *
 * @throws ConfigurationError; its message never contains the password
 */
export function connectionSettings(url: string): ConnectionSettings {
  const parsed = parse(url);
  const query = parsed.searchParams;
  const unknown = [...query.keys()].filter((name) => !parameters.includes(name));
  if (unknown.length > 0)
    throw problem(
      `has parameters Gatehouse doesn't know: ${unknown.join(', ')}. It knows ${parameters.join(', ')}.`,
    );
  const options = query.get('options');
  return {
    host: query.get('host') ?? (decode(parsed.hostname).replace(/^\[(.*)\]$/, '$1') || 'localhost'),
    port: Number(parsed.port || 5432),
    ...(parsed.username && { user: decode(parsed.username) }),
    ...(parsed.password && { password: decode(parsed.password) }),
    ...(parsed.pathname.length > 1 && { database: decode(parsed.pathname.slice(1)) }),
    ...(options !== null && { options }),
    ssl: tlsSettings(query),
  };
}

import { ConfigurationError } from '../../provider/lib/errors.ts';

export interface RedisAddress {
  host: string;
  port: number;
  tls: boolean;
  /** The database number. A cluster has only database 0. */
  database: number;
  username?: string | undefined;
  password?: string | undefined;
}

const wanted = 'Write it as redis://host:6379 or, with TLS, rediss://user:password@host:6379/0.';

// The URL may contain a password, so no message repeats it.
function refuse(problem: string): never {
  throw new ConfigurationError([`The Redis URL ${problem}. ${wanted}`]);
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch {
    return refuse("can't be read");
  }
}

function decoded(part: string): string | undefined {
  try {
    return part === '' ? undefined : decodeURIComponent(part);
  } catch {
    return refuse('has a user name or password with a % that is not followed by two hexadecimal digits');
  }
}

/**
 * Reads a `redis://` or, with TLS, `rediss://` URL.
 *
 * @throws ConfigurationError; its message never contains the URL
 */
export function parseRedisAddress(url: string): RedisAddress {
  const parsed = parse(url);
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:')
    refuse('has another scheme than redis or rediss');
  if (parsed.hostname === '') refuse('names no host');
  const path = parsed.pathname.replace(/^\//, '');
  if (!/^\d{0,4}$/.test(path)) refuse('has a path that is no database number');
  return {
    // A URL has brackets around an IPv6 address, but a socket needs it without them.
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    tls: parsed.protocol === 'rediss:',
    database: Number(path),
    username: decoded(parsed.username),
    password: decoded(parsed.password),
  };
}

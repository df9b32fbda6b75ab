import { parseUrl } from './parse-url.ts';

/** What a connection URL says, or what is wrong with it. Problems complete the sentence "The URL …" and repeat no part of it. */
export type UrlReading<T> = { ok: true; value: T } | { ok: false; problems: string[] };

/** TLS as a `postgres://` URL asks for it. Files are paths. */
export interface DatabaseTls {
  /** Whether certificate and host name are verified. */
  verify: boolean;
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** A `postgres://` URL in its parts, decoded. */
export interface DatabaseAddress {
  /** A host name, an address without brackets, or the folder of a socket. */
  host: string;
  port: number;
  user?: string | undefined;
  password?: string | undefined;
  database?: string | undefined;
  /** Command-line options for the server's session. */
  options?: string | undefined;
  tls: false | DatabaseTls;
}

/** A `redis://` URL in its parts, decoded. */
export interface RedisAddress {
  host: string;
  port: number;
  tls: boolean;
  /** The database number. A cluster has only database 0. */
  database: number;
  username?: string | undefined;
  password?: string | undefined;
}

const encodeAdvice =
  'write special characters of the user name and password as %XX: % as %25, @ as %40, / as %2F, # as %23, ? as %3F';

/**
 * The rules of RFC 3986 §3.2.1 that URL parsers don't enforce. With an unencoded `/`, `#` or `?` in the password, a parser
 * takes a part of the password for the host, the path or a parameter. Then errors of the network would show that part.
 */
function writtenProblems(text: string): string[] {
  const [, authority = '', rest = ''] = /^[^:]*:\/\/([^/?#]*)(.*)$/s.exec(text) ?? [];
  const problems: string[] = [];
  if (/%(?![0-9a-f]{2})/i.test(text)) problems.push(`has a % that starts no escape; ${encodeAdvice}`);
  if (authority.split('@').length > 2 || /[@#]/.test(rest))
    problems.push(`has an unencoded special character; ${encodeAdvice}`);
  // A parser would remove line breaks and tabs, and so connect with another password than the one that was meant.
  if (/[\s\p{Cc}]/u.test(text)) problems.push(`has white space in it; remove it, or write a blank as %20`);
  return problems;
}

const hostShape = /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])$/i;

function parse(text: string, schemes: readonly string[], form: string): UrlReading<URL> {
  const scheme = /^([a-z]+:)\/\//i.exec(text)?.[1]?.toLowerCase();
  const shape: UrlReading<URL> = {
    ok: false,
    problems: [`must be a URL like ${form}, with special characters as %XX`],
  };
  if (scheme === undefined || !schemes.includes(scheme)) return shape;
  const problems = writtenProblems(text);
  if (problems.length > 0) return { ok: false, problems };
  const value = parseUrl(text);
  return value === undefined ? shape : { ok: true, value };
}

/** The text without its escapes; undefined when it is empty, or when the escapes make no text in UTF-8. */
function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part) || undefined;
  } catch {
    return undefined;
  }
}

const isUndecodable = (part: string) => part !== '' && decode(part) === undefined;

const databaseParameters = ['host', 'options', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/**
 * The current release of pg reads `require` as 'verify everything', and the next one will read it as 'verify nothing'. So
 * the mode is interpreted here and not by pg. Every mode with TLS verifies the certificate and the host name, except
 * `no-verify`. `prefer` and `allow` are refused, because they accept plain text.
 */
const tlsModes = ['no-verify', 'require', 'verify-ca', 'verify-full'];

function queryProblems(query: URLSearchParams): string[] {
  const problems: string[] = [];
  const unknown = [...query.keys()].filter((name) => !databaseParameters.includes(name));
  if (unknown.length > 0) {
    problems.push(
      `has parameters that Gatehouse doesn't know (${unknown.join(', ')}); it knows ${databaseParameters.join(', ')}`,
    );
  }
  const mode = query.get('sslmode');
  if (mode !== null && mode !== 'disable' && !tlsModes.includes(mode))
    problems.push('has an sslmode that Gatehouse refuses; use verify-full, or disable where there is no TLS');
  return problems;
}

function tlsOf(query: URLSearchParams): false | DatabaseTls {
  const ca = query.get('sslrootcert') ?? undefined;
  const mode = query.get('sslmode') ?? (ca === undefined ? 'disable' : 'verify-full');
  if (mode === 'disable') return false;
  return {
    verify: mode !== 'no-verify',
    // In libpq, `system` means the certificate authorities that the system trusts. Without a file, Node uses its own list.
    caFile: ca === 'system' ? undefined : ca,
    certFile: query.get('sslcert') ?? undefined,
    keyFile: query.get('sslkey') ?? undefined,
  };
}

/**
 * Reads a `postgres://` URL. Query parameters: `host` (the folder of a socket), `options`, and for TLS `sslmode`, `sslrootcert`,
 * `sslcert`, `sslkey`. Reads no file.
 */
export function readDatabaseUrl(text: string): UrlReading<DatabaseAddress> {
  const parsed = parse(text, ['postgres:', 'postgresql:'], 'postgres://user:password@host:5432/name');
  if (!parsed.ok) return parsed;
  const { hostname, port, username, password, pathname, searchParams: query } = parsed.value;
  const problems = queryProblems(query);
  if ([hostname, username, password, pathname].some(isUndecodable))
    problems.push(`has escapes that are not UTF-8; ${encodeAdvice}`);
  // A host with escapes is the folder of a socket.
  const host = decode(hostname);
  if (host !== undefined && !hostShape.test(host) && !host.startsWith('/'))
    problems.push('has a host that is no host name, address or path of a folder');
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      host: query.get('host') ?? host?.replace(/^\[(.*)\]$/, '$1') ?? 'localhost',
      port: Number(port || 5432),
      user: decode(username),
      password: decode(password),
      database: decode(pathname.slice(1)),
      options: query.get('options') ?? undefined,
      tls: tlsOf(query),
    },
  };
}

/** Reads a `redis://` or, with TLS, a `rediss://` URL. It may have a database number as its path, and no parameters. */
export function readRedisUrl(text: string): UrlReading<RedisAddress> {
  const parsed = parse(text, ['redis:', 'rediss:'], 'rediss://user:password@host:6379');
  if (!parsed.ok) return parsed;
  const { protocol, hostname, port, username, password, pathname, search } = parsed.value;
  const problems: string[] = [];
  const database = pathname.replace(/^\//, '');
  if (hostname === '') problems.push('names no host');
  else if (!hostShape.test(hostname)) problems.push('has a host that is no host name or address');
  if (!/^\d{0,4}$/.test(database)) problems.push('has a path that is no database number');
  if (search !== '')
    problems.push("has parameters; Gatehouse knows none: remove the '?' and all that follows it");
  if ([username, password].some(isUndecodable))
    problems.push(`has escapes that are not UTF-8; ${encodeAdvice}`);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: {
      // A URL has brackets around an IPv6 address, but a socket needs it without them.
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 6379 : Number(port),
      tls: protocol === 'rediss:',
      database: Number(database),
      username: decode(username),
      password: decode(password),
    },
  };
}

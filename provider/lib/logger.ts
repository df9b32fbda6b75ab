import { isNativeError } from 'node:util/types';
import { type Logger as Pino, pino } from 'pino';
import { currentRequestScope } from './request-scope.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFields = Record<string, unknown>;

/**
 * Writes log lines that are easy to search: each has a fixed text for the event, and fields for the variable data.
 * Within a request the logger adds the request's id to each line, and the ids of client and account when known.
 *
 * `error`: a person must act now. `warn`: look at it in working hours. `info`: what happened. `debug`: details
 * for fault analysis. `docs/operate.md` lists every text and what to do.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds these fields to each line. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  level: LogLevel;
  /** Takes one line at a time, newline included. Default: standard output. */
  destination?: { write(line: string): void };
}

/** The fields of the current request. Fields that the caller gives take precedence. */
function scopeFields(): LogFields {
  const { requestId, clientId, accountId, traceId } = currentRequestScope() ?? {};
  return requestId === undefined ? {} : { requestId, clientId, accountId, traceId };
}

function wrap(target: Pino): Logger {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (!target.isLevelEnabled(level)) return;
    target[level]({ ...scopeFields(), ...redactFields(fields) }, redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(target.child(redactFields(fields))),
  };
}

/** JSON lines with ISO time and the level as text. Secrets are removed from fields, texts and errors. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service: 'gatehouse' },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors are already serialised here. Pino's own serializer would damage the result.
    serializers: { err: (value: unknown) => value },
  };
  return wrap(pino(options, destination ?? pino.destination({ dest: 1, sync: true })));
}

const hidden = '[redacted]';

/** Fields whose values are never written. Names are compared without case, dashes and underscores. */
const secretFields = new Set(
  `pass passwd authorization proxyauthorization jwt jws dpop code usercode devicecode requesturi connectionstring
  databaseurl redisurl apikey idtokenhint jwk jwks d p q dp dq qi k oth payload sealed`.split(/\s+/),
);

const secretEnding = /(password|secret|token|cookie|hash|privatekey|assertion|verifier)(s|es)?$/;

/** Whether a field's name alone says that its value must not be shown. */
function isSecretField(name: string): boolean {
  const plain = name.toLowerCase().replace(/[-_]/g, '');
  return secretFields.has(plain) || secretEnding.test(plain);
}

/** Reduces a URL to scheme, host and path. A query can hold codes and tokens; an authority can hold a password. */
function redactUrl(url: string): string {
  const start = url.indexOf('://') + 3;
  // The path of a web URL may contain @. In a connection URL an @ can only be part of an unescaped password.
  const web = /^https?:/i.test(url);
  const end = web ? start + url.slice(start).search(/[/?#]|$/) : url.length;
  const at = url.lastIndexOf('@', end - 1);
  const bare = at < start ? url : `${url.slice(0, start)}${hidden}@${url.slice(at + 1)}`;
  return bare.replace(/[?#].*$/, '');
}

const urls = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>`]+/gi;

/** Secrets that have a known format. Callers choose the text, so each pattern runs in linear time. */
const patterns: ReadonlyArray<[RegExp, string]> = [
  [/\?[^\s"'<>?=]*=[^\s"'<>]*/g, ''],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*){0,3}/g, hidden],
  [/\b(Bearer|DPoP|Basic) +[\w.~+/=-]{15,}/gi, `$1 ${hidden}`],
  [/\$(?:argon2\w+|2[abxy]|scrypt|pbkdf2[\w-]*)\$\S+/g, hidden],
  [/((?:password|passwd|secret|token|verifier)=)[^\s&"',;]+/gi, `$1${hidden}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
];

const longestText = 8192;

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** Every match of a pattern contains a text of this list. Most logged texts contain none, so they are left unchanged. */
const suspicious = /[?$=]|:\/\/|eyJ|-----|bearer|dpop|basic/i;

/** Removes queries, passwords in URLs and other text that looks like a credential. Gives at most 8 KiB. */
export function redactText(text: string): string {
  if (text.length <= longestText && !suspicious.test(text)) return text;
  // The first limit is larger than the last: a credential that is cut in two would no longer be recognised.
  let safe = shorten(text, 8 * longestText).replace(urls, redactUrl);
  for (const [pattern, replacement] of patterns) safe = safe.replace(pattern, replacement);
  return shorten(safe, longestText);
}

const deepest = 6;
const mostEntries = 100;
const mostCauses = 5;

/** Also true for errors of another realm, which have a different prototype. */
function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}

/** Type, message, code, stack and causes of an error; the causes at most five deep. */
function serializeError(error: Error, causes = mostCauses): Record<string, unknown> {
  const { code, cause, errors } = error as Error & { code?: unknown; errors?: unknown };
  const parts = Array.isArray(errors) ? errors.slice(0, mostCauses) : [];
  return {
    type: redactText(error.name),
    message: redactText(error.message),
    // In an error, `code` is not a secret when it looks like the name of an error.
    ...(/^\w{1,40}$/.test(String(code ?? '')) ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(cause === undefined || causes === 0 ? {} : { cause: serializeCause(cause, causes - 1) }),
    ...(parts.length === 0 || causes === 0
      ? {}
      : { errors: parts.map((part) => serializeCause(part, causes - 1)) }),
  };
}

function serializeCause(cause: unknown, causes: number): unknown {
  return isError(cause) ? serializeError(cause, causes) : redactValue(cause, 1);
}

function redactObject(value: object, depth: number): unknown {
  if (isError(value)) return serializeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= deepest) return '[too deep]';
  if (Array.isArray(value)) return value.slice(0, mostEntries).map((item) => redactValue(item, depth + 1));
  if (value instanceof Set) return redactValue([...value], depth);
  if (value instanceof Map) return redactFields(Object.fromEntries(value), depth);
  return redactFields(value as Record<string, unknown>, depth);
}

function redactValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value);
    case 'bigint':
      return String(value);
    case 'function':
    case 'symbol':
      return undefined;
    case 'object':
      return value === null ? null : redactObject(value, depth);
    default:
      return value;
  }
}

/**
 * Gives a copy that may be written to a log. Secret fields are hidden by name at any depth, texts are redacted and
 * errors are serialised. The copy has at most six levels, so cycles are safe.
 */
export function redactFields(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const entries = Object.entries(fields).slice(0, mostEntries);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (value === undefined || value === null) return [name, value];
      return [name, isSecretField(name) ? hidden : redactValue(value, depth + 1)];
    }),
  );
}

import { isNativeError } from 'node:util/types';
import { type Logger as Pino, pino } from 'pino';
import { systemClock } from './clock.ts';
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
  destination?: { write: (line: string) => void };
}

/** Where lines go. */
interface Output {
  write(line: string): void;
  /** Writes what waits. */
  flush(): void;
}

const longestWaitMs = 100;
const mostWaiting = 16_384;

/**
 * Standard output. Lines wait, at most 100 ms and 16 KiB of them, because a write costs more than all other work for a
 * line. The write itself waits for a slow reader, so lines keep their order and the memory for them stays bounded.
 */
function standardOutput(): Output {
  const target = pino.destination({ dest: 1, sync: true });
  let waiting = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const text = waiting;
    waiting = '';
    if (text !== '') target.write(text);
  };
  // Also after `process.exit()` and after an uncaught exception.
  process.on('exit', flush);
  return {
    write: (line) => {
      waiting += line;
      if (waiting.length >= mostWaiting) flush();
      else timer ??= setTimeout(flush, longestWaitMs).unref();
    },
    flush,
  };
}

/**
 * Whether a line may wait for others. If the process is killed, lines that wait are lost. Other lines are rare, and they
 * are all that shows some attacks: a refused sign-in, for example.
 */
const mayWait = (level: LogLevel, message: string) => level === 'debug' || message === 'request';

function wrap(target: Pino, output: Pick<Output, 'flush'>): Logger {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (!target.isLevelEnabled(level)) return;
    const { requestId, clientId, accountId, traceId } = currentRequestScope() ?? {};
    // Fields that the caller gives take precedence over those of the request.
    const line: LogFields = requestId === undefined ? {} : { requestId, clientId, accountId, traceId };
    target[level](copyRedacted(fields, line, 0), redactText(message));
    if (!mayWait(level, message)) output.flush();
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(target.child(redactFields(fields)), output),
  };
}

/** Formats the time for pino. The date and the second are kept, because formatting them costs a third of a line. */
function createIsoTime(): () => string {
  let second = Number.NaN;
  let text = '';
  return () => {
    const now = systemClock.now();
    const milliseconds = now % 1000;
    if (now - milliseconds !== second) {
      second = now - milliseconds;
      text = new Date(second).toISOString().slice(0, -4);
    }
    return `,"time":"${text}${String(milliseconds).padStart(3, '0')}Z"`;
  };
}

/** JSON lines with ISO time and the level as text. Secrets are removed from fields, texts and errors. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service: 'gatehouse' },
    timestamp: createIsoTime(),
    formatters: { level: (label: string) => ({ level: label }) },
    // Errors are already serialised here. Pino's own serializer would damage the result.
    serializers: { err: (value: unknown) => value },
  };
  const output = destination ? { write: destination.write, flush: () => {} } : standardOutput();
  return wrap(pino(options, output), output);
}

const hidden = '[redacted]';

/** Fields whose values are never written. Names are compared without case, dashes and underscores. */
const secretFields = new Set(
  `pass passwd authorization proxyauthorization jwt jws dpop code usercode devicecode requesturi connectionstring
  databaseurl redisurl apikey idtokenhint jwk jwks d p q dp dq qi k oth payload sealed`.split(/\s+/),
);

const secretEnding = /(password|secret|token|cookie|hash|privatekey|assertion|verifier)(s|es)?$/;

const mostKnownNames = 1000;
const knownNames = new Map<string, boolean>();

/** Whether a field's name alone says that its value must not be shown. The answer is kept, because names repeat. */
function isSecretField(name: string): boolean {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const plain = name.toLowerCase().replace(/[-_]/g, '');
  const isSecret = secretFields.has(plain) || secretEnding.test(plain);
  if (knownNames.size < mostKnownNames && name.length < 50) knownNames.set(name, isSecret);
  return isSecret;
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
  return copyRedacted(fields, {}, depth);
}

function copyRedacted(fields: Record<string, unknown>, copy: LogFields, depth: number): LogFields {
  const names = Object.keys(fields);
  if (names.length > mostEntries) names.length = mostEntries;
  for (const name of names) {
    const value = fields[name];
    // This name would set the prototype of the copy.
    if (name === '__proto__') continue;
    if (value === undefined || value === null) copy[name] = value;
    else copy[name] = isSecretField(name) ? hidden : redactValue(value, depth + 1);
  }
  return copy;
}

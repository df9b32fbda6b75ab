import { isNativeError } from 'node:util/types';

const hidden = '[redacted]';

/** Fields never written, whatever they hold; compared without case, dashes and underscores. */
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

/** Cuts a URL to scheme, host and path: a query holds codes and tokens, an authority may hold a password. */
function redactUrl(url: string): string {
  const start = url.indexOf('://') + 3;
  // A path may hold an @ on the web; in a connection URL it can only be part of a carelessly written password.
  const web = /^https?:/i.test(url);
  const end = web ? start + url.slice(start).search(/[/?#]|$/) : url.length;
  const at = url.lastIndexOf('@', end - 1);
  const bare = at < start ? url : `${url.slice(0, start)}${hidden}@${url.slice(at + 1)}`;
  return bare.replace(/[?#].*$/, '');
}

const urls = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>`]+/gi;

/** What can be told by its looks. Each pattern takes time linear in the text, since callers choose the text. */
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

/** What each of the patterns needs at least. Most of what is logged has nothing of it, and is taken as it is. */
const suspicious = /[?$=]|:\/\/|eyJ|-----|bearer|dpop|basic/i;

/** Text without queries, passwords in URLs, and whatever else looks like a credential; at most 8 KiB of it. */
export function redactText(text: string): string {
  if (text.length <= longestText && !suspicious.test(text)) return text;
  // Cut generously first: a credential cut in two would no longer look like one.
  let safe = shorten(text, 8 * longestText).replace(urls, redactUrl);
  for (const [pattern, replacement] of patterns) safe = safe.replace(pattern, replacement);
  return shorten(safe, longestText);
}

const deepest = 6;
const mostEntries = 100;
const mostCauses = 5;

/** Also for errors of another realm, whose prototype isn't ours. */
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
    // Not a secret here, unless it looks like more than the name of an error.
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
 * A copy that may be written to a log: secret fields hidden by name at any depth, texts cleaned, errors
 * serialised; never deeper than six levels, so it ends on cycles too.
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

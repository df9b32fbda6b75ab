import { AsyncLocalStorage } from 'node:async_hooks';

/** The known data of the current request, for log lines, events and the audit. */
export interface RequestScope {
  readonly requestId: string;
  /** Comes from a trusted source only. Undefined when the connection is closed. */
  readonly clientAddress: string | undefined;
  readonly userAgent: string | undefined;
  /** The trace of the request, when tracing is on. */
  readonly traceId?: string | undefined;
  /** The client of the request, once it is known. It may not be authenticated yet. */
  readonly clientId?: string | undefined;
  /** The account of the request, once it is known from a session, a token or a password. */
  readonly accountId?: string | undefined;
}

const longestUserAgent = 512;

/** Cuts a User-Agent to the length that we store and log, in code points: a surrogate pair is never split. */
export function shortUserAgent(text: string): string | undefined {
  if (text.length <= longestUserAgent) return text || undefined;
  return [...text.slice(0, 2 * longestUserAgent)].slice(0, longestUserAgent).join('');
}

type Notes = { -readonly [Name in 'clientId' | 'accountId']: RequestScope[Name] };

const storage = new AsyncLocalStorage<RequestScope>();

/** Runs `work` so that everything it calls and awaits gets this scope and can add data to it. */
export function runInRequestScope<T>(scope: RequestScope, work: () => T): T {
  return storage.run(scope, work);
}

/** The scope of the current request. Undefined outside of a request, for example in background jobs. */
export function currentRequestScope(): RequestScope | undefined {
  return storage.getStore();
}

/** The id of the current request, for a person to report. Empty outside of a request. */
export const requestId = (): string => currentRequestScope()?.requestId ?? '';

/** The origin of a request, in a form that a person can recognise. */
export interface RequestOrigin {
  ip?: string | undefined;
  userAgent?: string | undefined;
}

/** The origin of the current request. It is empty outside of a request. A user agent has at most 512 characters. */
export function requestOrigin(): RequestOrigin {
  const scope = storage.getStore();
  return { ip: scope?.clientAddress, userAgent: scope?.userAgent };
}

/** Records the client of the request. The first value is kept. Outside of a request this does nothing. */
export function noteClient(clientId: string): void {
  note('clientId', clientId);
}

/** Records the account of the request. The first value is kept. Outside of a request this does nothing. */
export function noteAccount(accountId: string): void {
  note('accountId', accountId);
}

function note(name: keyof Notes, id: string): void {
  const scope = storage.getStore() as Notes | undefined;
  if (scope) scope[name] ??= id;
}

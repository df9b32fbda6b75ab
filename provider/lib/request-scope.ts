import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request under way, for log lines, events and the audit. */
export interface RequestScope {
  readonly requestId: string;
  /** From a trusted place only; undefined when there is no connection any more. */
  readonly clientAddress: string | undefined;
  readonly userAgent: string | undefined;
  /** The trace it belongs to, where traces are on. */
  readonly traceId?: string | undefined;
  /** For which client, once that is known; it may not have proved itself yet. */
  readonly clientId?: string | undefined;
  /** Whom it is about, once that is known: an account that a session, a token or a password stands for. */
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

/** Runs `work` so that everything it calls and awaits sees this scope, which it may note things in. */
export function runInRequestScope<T>(scope: RequestScope, work: () => T): T {
  return storage.run(scope, work);
}

/** The scope of the request under way; undefined outside of one, as in background jobs. */
export function currentRequestScope(): RequestScope | undefined {
  return storage.getStore();
}

/** Where a request came from, as a person may recognise it. */
export interface RequestOrigin {
  ip?: string | undefined;
  userAgent?: string | undefined;
}

/** The origin of the request under way; empty outside of one. A user agent has at most 512 characters. */
export function requestOrigin(): RequestOrigin {
  const scope = storage.getStore();
  return { ip: scope?.clientAddress, userAgent: scope?.userAgent };
}

/** Notes for which client the request is. The first note stands; outside of a request it does nothing. */
export function noteClient(clientId: string): void {
  note('clientId', clientId);
}

/** Notes whom the request is about. The first note stands; outside of a request it does nothing. */
export function noteAccount(accountId: string): void {
  note('accountId', accountId);
}

function note(name: keyof Notes, id: string): void {
  const scope = storage.getStore() as Notes | undefined;
  if (scope) scope[name] ??= id;
}

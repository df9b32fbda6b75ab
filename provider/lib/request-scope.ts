import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request under way, for log lines, events and the audit. */
export interface RequestScope {
  requestId: string;
  /** From a trusted place only; undefined when there is no connection any more. */
  clientAddress: string | undefined;
  userAgent: string | undefined;
}

const storage = new AsyncLocalStorage<Readonly<RequestScope>>();

/** Runs `work` so that everything it calls and awaits sees this scope. */
export function runInRequestScope<T>(scope: RequestScope, work: () => T): T {
  return storage.run(scope, work);
}

/** The scope of the request under way; undefined outside of one, as in background jobs. */
export function currentRequestScope(): Readonly<RequestScope> | undefined {
  return storage.getStore();
}

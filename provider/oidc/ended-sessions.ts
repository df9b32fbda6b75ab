import type { Provider } from 'oidc-provider';
import { noteAccount } from '../lib/request-scope.ts';

/** Told after a session was ended, on purpose: what it says is over. Must not reject. */
export type SessionEnded = (accountId: string, uid: string) => Promise<void>;

/** Every way to end a session destroys it: signing out, and from outside (`endSession`). One that expires isn't told of. */
export function tellEndedSessions(provider: Provider, ended: SessionEnded): void {
  // biome-ignore lint/suspicious/noExplicitAny: the library's models are built at run time; their types don't allow overriding.
  const prototype = provider.Session.prototype as any;
  const { destroy } = prototype;
  prototype.destroy = async function destroyAndTell() {
    await destroy.call(this);
    if (!this.accountId) return;
    noteAccount(this.accountId);
    await ended(this.accountId, this.uid);
  };
}

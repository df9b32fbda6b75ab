import type { Provider } from 'oidc-provider';
import { type Clock, epochSeconds } from '../../lib/clock.ts';
import { currentRequestScope } from '../../lib/request-scope.ts';
import type { Origin, SignIns } from '../sessions/sign-ins.ts';

export interface IndexSignInsDeps {
  signIns: Pick<SignIns, 'sessionSeen' | 'familyUsed'>;
  clock: Clock;
  /** Told when an entry couldn't be written. */
  failed(error: unknown): void;
}

// biome-ignore lint/suspicious/noExplicitAny: the library's models are built at run time; their types don't allow overriding.
type Model = any;

/**
 * How old an entry may get before a use writes it again, whatever became of it: so one that was lost, or couldn't be
 * written, is there again as soon as its place is used after that.
 */
const staleSeconds = 300;

/** Notes where accounts are signed in, beside what the models store and never in its way. */
export function indexSignIns(provider: Provider, deps: IndexSignInsDeps): void {
  noteSessions(provider.Session, deps);
  noteFamilies(provider.RefreshToken, deps);
}

function noteSessions(model: Model, { signIns, clock, failed }: IndexSignInsDeps): void {
  const { save } = model.prototype;
  model.prototype.save = async function saveAndNote(ttl: number) {
    const due = this.accountId && isStale(this.indexedAt, clock);
    if (due) this.indexedAt = epochSeconds(clock);
    const saved = await save.call(this, ttl);
    if (due) {
      const { accountId, uid, loginTs, exp } = this;
      const times = { startedAt: loginTs * 1000, expiresAt: exp * 1000 };
      signIns.sessionSeen({ accountId, uid, ...times, ...origin() }).catch(failed);
    }
    return saved;
  };
}

function noteFamilies(model: Model, deps: IndexSignInsDeps): void {
  const { save } = model.prototype;
  model.prototype.save = async function saveAndNote() {
    this.indexedAt = epochSeconds(deps.clock);
    const value = await save.call(this);
    noteFamily(this, deps);
    return value;
  };
}

/**
 * For a family's later refresh tokens, which the refresh grant stores itself.
 *
 * @param token the one that is about to be stored: the family lives as long as that
 * @returns the time to store with it
 */
export function touchFamilyEntry(token: Model, deps: IndexSignInsDeps): number {
  if (!isStale(token.indexedAt, deps.clock)) return token.indexedAt;
  noteFamily(token, deps);
  return epochSeconds(deps.clock);
}

function noteFamily(token: Model, { signIns, clock, failed }: IndexSignInsDeps): void {
  const { accountId, familyId, clientId, iiat } = token;
  // A token that is new was never read from a store, which is where the library would set it.
  const exp = token.exp ?? epochSeconds(clock) + token.expiration;
  const times = { startedAt: iiat * 1000, expiresAt: exp * 1000 };
  signIns.familyUsed({ accountId, familyId, clientId, ...times, ...origin() }).catch(failed);
}

const isStale = (indexedAt: number | undefined, clock: Clock) =>
  indexedAt === undefined || epochSeconds(clock) - indexedAt >= staleSeconds;

function origin(): Origin {
  const scope = currentRequestScope();
  return { ip: scope?.clientAddress, userAgent: scope?.userAgent };
}

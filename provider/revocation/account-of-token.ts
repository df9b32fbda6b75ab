import type { AccountFacts } from '../ports/account-store.ts';
import type { Denylist, RevocationSubjects } from '../ports/denylist.ts';
import type { RecentReads } from './recent-reads.ts';
import { revocationKeys } from './revocation.ts';

/**
 * Gives a function that finds the account a token stands for, or undefined when the token was revoked: by one question to
 * the denylist where the account is kept.
 */
export function createAccountOfToken(deps: {
  denylist: Pick<Denylist, 'anyRevoked'>;
  reads: Pick<RecentReads, 'account' | 'kept'>;
}): (token: RevocationSubjects, accountId: string) => Promise<AccountFacts | undefined> {
  const { denylist, reads } = deps;
  return async (token, accountId) => {
    const keys = revocationKeys(token);
    const kept = reads.kept(accountId);
    if (kept && !(await denylist.anyRevoked([...keys, ...kept.unless]))) return kept.account;
    return (await denylist.anyRevoked(keys)) ? undefined : reads.account(accountId);
  };
}

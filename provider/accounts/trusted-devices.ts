import type { Clock } from '../lib/clock.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';

type Trusting = Pick<Account, 'id' | 'tokenVersion'>;

/**
 * Browsers in which a person proved the second factor and asked not to be asked again for some days. A proof is good for
 * one account with this token version and this factor. So it ends with a new password, when the account is signed out
 * everywhere, and when the factor is removed, replaced or reset. It holds no name, and nothing is stored.
 */
export interface TrustedDevices {
  /** Gives a proof for the browser. Undefined when trusted devices are switched off. */
  proofFor(account: Trusting, factorId: string): string | undefined;
  /** @param proofs all proofs of the browser */
  isTrusted(proofs: readonly string[], account: Trusting, factorId: string): boolean;
}

const label = 'trusted device';
const dayMs = 86_400_000;

/** @param days how long a browser is trusted; 0 for never. A smaller number counts for earlier proofs too */
export function createTrustedDevices({
  keys,
  clock,
  days,
}: {
  keys: Pick<ServerKeys, 'tag' | 'checkTag'>;
  clock: Clock;
  days: number;
}): TrustedDevices {
  const about = (since: string, { id, tokenVersion }: Trusting, factorId: string) =>
    JSON.stringify([since, id, tokenVersion, factorId]);
  return {
    proofFor: (account, factorId) => {
      if (days === 0) return undefined;
      const since = String(clock.now());
      return `${since}~${keys.tag(label, about(since, account, factorId))}`;
    },
    isTrusted: (proofs, account, factorId) =>
      proofs.some((proof) => {
        const [since = '', tag = ''] = proof.split('~');
        const isLive = clock.now() - Number(since) < days * dayMs;
        return isLive && keys.checkTag(label, about(since, account, factorId), tag);
      }),
  };
}

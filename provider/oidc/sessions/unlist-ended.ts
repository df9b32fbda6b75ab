import type { AccountIndex } from '../../ports/account-index.ts';
import type { FamilyStore } from '../../ports/family-store.ts';

interface EndsFamilies {
  endFamily(familyId: string): Promise<void>;
  endReusedFamily(familyId: string): Promise<void>;
}

export interface UnlistEndedDeps {
  index: Pick<AccountIndex, 'remove'>;
  families: Pick<FamilyStore, 'find'>;
  /** Told when an entry couldn't be removed: it then stays until it expires, and isn't shown. */
  failed(error: unknown): void;
}

/**
 * The same revocation, which takes every family that it ends off the list of its account's sign-ins: what is over would
 * count there until it expires. Beside the end and never in its way.
 */
export function unlistEnded<Revocation extends EndsFamilies>(
  revocation: Revocation,
  { index, families, failed }: UnlistEndedDeps,
): Revocation {
  const unlisting = (end: (familyId: string) => Promise<void>) => async (familyId: string) => {
    // Asked for at once, since whose it was is known only as long as it stands.
    const found = families.find(familyId).catch(failed);
    await end(familyId);
    void found.then((family) => family && index.remove(family.accountId, familyId)).catch(failed);
  };
  return {
    ...revocation,
    endFamily: unlisting(revocation.endFamily),
    endReusedFamily: unlisting(revocation.endReusedFamily),
  };
}

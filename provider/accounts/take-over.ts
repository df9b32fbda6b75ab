import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import { removeSecondFactor } from './second-factors.ts';

/**
 * Removes what another person may have left in an account before the owner of the address proved it: the second factor and
 * the consents. It does nothing for an account that is confirmed, because its owner made them. Call it together with a new
 * password, which ends every session and token.
 */
export async function removeForeignAccess(
  stores: Pick<TransactionStores, 'accounts' | 'secondFactors' | 'consents' | 'outbox' | 'mails'>,
  account: Account,
  { newEvent, clock }: { newEvent: NewEvent; clock: Clock },
): Promise<void> {
  if (!account.isUnconfirmed) return;
  await removeSecondFactor(stores, account, { newEvent, clock });
  for (const consent of await stores.consents.list(account.id)) {
    if (!(await stores.consents.withdraw(consent))) continue;
    const { accountId, clientId } = consent;
    await stores.outbox.append(newEvent('consent.withdrawn', accountId, { id: accountId, clientId }));
  }
}

import type { NewEvent } from '../events/catalogue.ts';
import type { Clock } from '../lib/clock.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { WriteMail } from './mails.ts';
import { type FactorStores, removeAllFactors } from './remove-factors.ts';

type Stores = FactorStores & Pick<TransactionStores, 'factorRemovals'>;

/**
 * The way back for a person who lost every second factor: a wish after the right password, a mail at once, a waiting time,
 * and then a sign-in with the password. A person who still has the factor, or the mailbox, has this time to cancel the wish: a
 * sign-in with a code, a new password and 'sign out everywhere' do it.
 */
export interface LostFactors {
  /**
   * Writes the wish, its event and its mail. A wish that waits already stays, and no second mail is written.
   * @returns when the factors can be removed, in milliseconds since the epoch; undefined when there is no factor, or when
   *   this is switched off
   */
  request(stores: Stores, account: Account, language?: string): Promise<number | undefined>;
  /** Call it after the right password. Removes the factors if the waiting time is over, with the event and the mail of it. */
  removeIfDue(stores: Stores, account: Account): Promise<boolean>;
}

/** So long after the waiting time a wish still counts. */
const usableMs = 7 * 86_400_000;

/** @param hours the waiting time; 0 to switch this off */
export function createLostFactors({
  hours,
  ...deps
}: {
  hours: number;
  newEvent: NewEvent;
  writeMail?: WriteMail | undefined;
  clock: Clock;
}): LostFactors {
  const { newEvent, writeMail, clock } = deps;
  return {
    request: async (stores, account, language) => {
      const factor = hours === 0 ? undefined : await stores.secondFactors.find(account.id);
      if (factor === undefined) return undefined;
      const { id, email, tokenVersion } = account;
      const now = clock.now();
      const dueAt = now + hours * 3_600_000;
      const wish = {
        factorId: factor.id,
        uses: factor.uses,
        tokenVersion,
        dueAt,
        expiresAt: dueAt + usableMs,
      };
      if (!(await stores.factorRemovals.request(id, wish, now)))
        return (await stores.factorRemovals.find(id))?.dueAt;
      await stores.outbox.append(newEvent('user.second_factor_removal_requested', id, { id, email }));
      const model = { email, at: now, dueAt };
      await writeMail?.(stores, { kind: 'second-factor-removal', account, language, model });
      return dueAt;
    },
    removeIfDue: async (stores, account) => {
      const wish = hours === 0 ? undefined : await stores.factorRemovals.find(account.id);
      const now = clock.now();
      if (!wish || wish.tokenVersion !== account.tokenVersion) return false;
      if (now < wish.dueAt || now >= wish.expiresAt) return false;
      const factor = await stores.secondFactors.find(account.id);
      if (factor?.id !== wish.factorId || factor.uses !== wish.uses) return false;
      return removeAllFactors(stores, account, deps);
    },
  };
}

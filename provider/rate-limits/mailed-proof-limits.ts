import { GatehouseError } from '../lib/errors.ts';
import { emailKey } from '../ports/account-store.ts';
import type { Bucket, Counters } from './counters.ts';
import type { Refusal } from './refusals.ts';
import { buckets } from './rules.ts';
import type { ResponseTimeQuantizer } from './sign-in-limits.ts';

/** What a person can ask a mail for without being signed in. */
export type AskedMail = 'recover';

export interface MailedProofLimits {
  /**
   * Counts a request for a mail to this address, and answers it at the next step of the quantizer. An address that got too
   * many mails gets no further one, and the answer does not show this.
   *
   * @param work writes the mail if it is allowed, and does the same work if it is not
   * @throws GatehouseError `too_many_requests`; `overloaded` when all callers together send too many
   */
  askForMail(action: AskedMail, email: string, work: (isAllowed: boolean) => Promise<void>): Promise<void>;
  /** Runs a try of a code that a mail carries. A wrong one is answered at the next step of the quantizer. */
  tryMailedCode<T>(work: () => Promise<T>): Promise<T>;
}

/** Limits for mails that anyone can ask for, and for the codes in them. */
export function createMailedProofLimits({
  counters,
  refusal,
  quantizer,
}: {
  counters: Counters;
  refusal: Refusal;
  quantizer: Pick<ResponseTimeQuantizer, 'run'>;
}): MailedProofLimits {
  const { key, here, bucketsHere, takeAll, giveBack } = counters;
  return {
    askForMail: (action, email, work) =>
      quantizer.run(
        async () => {
          const places = bucketsHere(action);
          const refused = await takeAll(places);
          if (refused) throw refusal(action, refused);
          // Counted by the address that was typed, so it is the same whether an account has it.
          const address = emailKey(email);
          const { pair, recipient } = buckets[action];
          const ofAddress: Bucket[] = [
            { by: 'pair', key: key(action, 'pair', address, here().network), rule: pair },
            { by: 'recipient', key: key(action, 'recipient', address), rule: recipient },
          ];
          const tooMany = await takeAll(ofAddress);
          // The refusal is counted and logged, and not thrown.
          if (tooMany) refusal(action, tooMany);
          await work(tooMany === undefined).catch(async (error: unknown) => {
            await giveBack([...places, ...(tooMany ? [] : ofAddress)]);
            throw error;
          });
        },
        ({ error }) => error === undefined,
      ),
    tryMailedCode: (work) =>
      quantizer.run(
        work,
        ({ error }) => error instanceof GatehouseError && error.code === 'invalid_one_time_token',
      ),
  };
}

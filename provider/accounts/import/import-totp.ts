import { z } from 'zod';
import type { NewEvent } from '../../events/catalogue.ts';
import type { Clock } from '../../lib/clock.ts';
import { newId } from '../../lib/ids.ts';
import type { ServerKeys } from '../../lib/server-keys.ts';
import type { TransactionStores } from '../../ports/unit-of-work.ts';
import { totpSecretContext } from '../second-factors.ts';

const secretText = { error: 'Give the secret in base32, with 16 to 64 bytes (26 to 104 characters).' };
const lastStep = z
  .int({ error: 'Give the last used time step, a whole number.' })
  .min(0)
  .max(1e12)
  .optional();

/** RFC 4226 §4 asks for 128 bits at least. */
export const totpFields = z.union(
  [
    z.strictObject({
      secret: z
        .string(secretText)
        .transform((text) => text.replace(/[\s-]/g, '').replace(/=+$/, '').toUpperCase())
        .pipe(z.string().regex(/^[A-Z2-7]{26,104}$/, secretText)),
      lastStep,
    }),
    z.strictObject({ sealed: z.string().min(1).max(1000), lastStep }),
  ],
  { error: 'Give {"secret": "…"} with the secret in base32, or {"sealed": "…"} from an export.' },
);

/** The authenticator app of a line: its secret in clear, or sealed by the server secret of the export. */
export type TotpFields = z.infer<typeof totpFields>;

/** Why an app can't be taken over, as a mistake of its line. */
export interface TotpMistake {
  field: string;
  message: string;
}

/** The authenticator app of a line whose secret can be read here. */
export interface ReadTotp {
  secret: string;
  lastStep: number;
}

type Stores = Pick<TransactionStores, 'accounts' | 'secondFactors' | 'outbox'>;

export interface TotpImport {
  /** @param id the id of the account, if the line has one */
  read(totp: TotpFields, id: string | undefined): Promise<ReadTotp | TotpMistake>;
  /** Whether the account has another app than this one, or none. */
  differs(stores: Pick<Stores, 'secondFactors'>, accountId: string, totp: ReadTotp): Promise<boolean>;
  /** Adds the app to an account that has none. Writes no event. */
  add(stores: Stores, account: { id: string; updatedAt: number }, totp: ReadTotp): Promise<void>;
  /** Gives the account this app instead of the one that it has. Writes the events of both changes. */
  replace(stores: Stores, account: { id: string; email: string }, totp: ReadTotp): Promise<void>;
}

/** @param keys gives the keys of the server secrets. It is called when the first line has an app */
export function createTotpImport({
  keys,
  newEvent,
  clock,
}: {
  keys(): Promise<Pick<ServerKeys, 'seal' | 'open'>>;
  newEvent: NewEvent;
  clock: Clock;
}): TotpImport {
  const add: TotpImport['add'] = async ({ accounts, secondFactors }, { id, updatedAt }, totp) => {
    const sealedSecret = (await keys()).seal(totpSecretContext(id), totp.secret);
    const { lastStep } = totp;
    const addedAt = clock.now();
    await secondFactors.add(id, {
      id: newId('totp'),
      sealedSecret,
      lastStep,
      uses: 0,
      addedAt,
      hasApp: true,
    });
    await accounts.update(id, { hasSecondFactor: true }, updatedAt);
  };
  return {
    read: async (totp, id) => {
      const step = totp.lastStep ?? 0;
      if ('secret' in totp) return { secret: totp.secret, lastStep: step };
      if (id === undefined)
        return {
          field: '/totp/sealed',
          message: 'A sealed secret is bound to its account. Give the id too.',
        };
      const secret = (await keys()).open(totpSecretContext(id), totp.sealed);
      if (secret !== undefined) return { secret, lastStep: step };
      const message =
        'The server secret that sealed it is not in GATEHOUSE_SERVER_SECRETS here. Add it, or export the secrets in clear.';
      return { field: '/totp/sealed', message };
    },
    differs: async ({ secondFactors }, id, { secret }) => {
      const stored = await secondFactors.find(id);
      return (
        stored === undefined || (await keys()).open(totpSecretContext(id), stored.sealedSecret) !== secret
      );
    },
    add,
    replace: async (stores, { id, email }, totp) => {
      const data = { id, email, method: 'totp' };
      if (await stores.secondFactors.remove(id))
        await stores.outbox.append(newEvent('user.second_factor_removed', id, data));
      await add(stores, { id, updatedAt: clock.now() }, totp);
      await stores.outbox.append(newEvent('user.second_factor_added', id, data));
    },
  };
}

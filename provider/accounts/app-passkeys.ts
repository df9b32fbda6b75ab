import { type Clock, epochSeconds } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { NewPasskeyAnswer } from '../lib/passkey-answers.ts';
import { meetsAcr, multiFactorAcr } from '../lib/password-sign-in.ts';
import type { Account } from '../ports/account-store.ts';
import type { UnitOfWork } from '../ports/unit-of-work.ts';
import type { PasskeySignIn } from './passkey-sign-in.ts';
import type { PasskeyService } from './passkeys.ts';
import type { CreationOptions, RequestOptions } from './webauthn.ts';

export interface AppPasskeysDeps {
  passkeys: Pick<PasskeyService, 'offer' | 'checkNew' | 'add'>;
  passkeySignIn: Pick<PasskeySignIn, 'ask'>;
  unitOfWork: UnitOfWork;
  clock: Clock;
  /** Where apps may use passkeys: origins of pages, and `android:apk-key-hash:…`. */
  origins: readonly string[];
}

/** A person who is signed in to an app, as the access token says. */
export interface AppOwner {
  accountId: string;
  /** The token version of the account in this token. */
  tokenVersion: number | undefined;
  clientId: string;
  acr: string | undefined;
  /** When the person signed in, in seconds since the epoch. */
  authTime: number | undefined;
}

/** Options for the browser or the phone, and what the app sends back with the answer. */
export interface AppRequest<Options> {
  challenge: string;
  options: Options;
}

export interface NewAppPasskey {
  challenge: string;
  answer: NewPasskeyAnswer;
  name: string;
}

/** What apps with forms of their own do with passkeys, besides the sign-in itself, which the password grant does. */
export interface AppPasskeys {
  /** Asks for any passkey. Nothing is stored. */
  ask(clientId: string): AppRequest<RequestOptions>;
  /**
   * Asks for a new passkey. The sign-in must be fresh and have the level of the account (OWASP ASVS 5, V7.5.1): a stolen
   * token alone is not enough.
   *
   * @throws GatehouseError `insufficient_user_authentication`, `invalid_token`, `too_many_passkeys`
   */
  offer(owner: AppOwner): Promise<AppRequest<CreationOptions>>;
  /**
   * Adds the passkey. Gives recovery codes with the first second factor of the account.
   *
   * @throws GatehouseError as `offer`; `invalid_passkey`, `passkey_expired`, `passkey_exists`
   */
  add(owner: AppOwner, added: NewAppPasskey): Promise<{ id: string; recoveryCodes?: string[] | undefined }>;
}

/** So old a sign-in may be when the person adds a passkey, in seconds. */
const freshSeconds = 600;

/** So much longer a person may take for the ceremony. */
const ceremonySeconds = 300;

export function createAppPasskeys(deps: AppPasskeysDeps): AppPasskeys {
  const { passkeys, passkeySignIn, unitOfWork, clock, origins } = deps;

  const requireFresh = ({ authTime = Number.NaN }: AppOwner, mostSeconds: number) => {
    if (epochSeconds(clock) - authTime <= mostSeconds) return;
    throw signInAgain('The sign-in is too long ago. Sign in again.', { max_age: String(freshSeconds) });
  };
  /** The account, if the token is still good for it and has its level. */
  const require = (account: Account | undefined, { tokenVersion, acr }: AppOwner): Account => {
    if (account?.state !== 'active' || account.tokenVersion !== tokenVersion)
      throw new GatehouseError('invalid_token', 'The access token was revoked.');
    if (account.hasSecondFactor && !meetsAcr(acr, [multiFactorAcr]))
      throw signInAgain('Sign in with the second factor first.', { acr_values: multiFactorAcr });
    return account;
  };
  const placeOf = ({ clientId }: AppOwner) => `client ${clientId}`;

  return {
    ask: (clientId) => {
      const { options, sealed } = passkeySignIn.ask({ clientId });
      return { challenge: sealed, options };
    },
    offer: async (owner) => {
      requireFresh(owner, freshSeconds);
      const account = await unitOfWork.run(async ({ accounts }) =>
        require(await accounts.findById(owner.accountId), owner),
      );
      const { options, sealed } = await passkeys.offer(account, placeOf(owner));
      return { challenge: sealed, options };
    },
    add: async (owner, { challenge: sealed, answer, name }) => {
      requireFresh(owner, freshSeconds + ceremonySeconds);
      const place = { accountId: owner.accountId, boundTo: placeOf(owner) };
      const checked = await passkeys.checkNew(place, { sealed, answer, origins });
      const recoveryCodes = await unitOfWork.run(async (stores) => {
        const account = require(await stores.accounts.findById(owner.accountId), owner);
        return passkeys.add(stores, account, checked, { name });
      });
      return { id: checked.id, recoveryCodes };
    },
  };
}

const signInAgain = (message: string, challenge: Record<string, string>) =>
  new GatehouseError('insufficient_user_authentication', message, { challenge });

import { z } from 'zod';
import { randomToken } from '../lib/ids.ts';
import type { PasskeyAnswer } from '../lib/passkey-answers.ts';
import { multiFactorSignIn } from '../lib/password-sign-in.ts';
import { noteAccount } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { AccountStore } from '../ports/account-store.ts';
import { type PasskeyService, passkeyExpired } from './passkeys.ts';
import type { SecondFactorService } from './second-factors.ts';
import { disabled, reportSignIn, type SignedIn, type SignInOptions, writeSignIn } from './sign-in.ts';
import { ceremonyMs, invalidPasskey, type RequestOptions, requestOptions } from './webauthn.ts';

export interface PasskeySignInDeps
  extends Pick<
    SignInOptions,
    'unitOfWork' | 'rateLimits' | 'newEvent' | 'clock' | 'metrics' | 'logger' | 'refuseUnconfirmed'
  > {
  accounts: Pick<AccountStore, 'findById'>;
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  passkeys: PasskeyService;
  factors: Pick<SecondFactorService, 'notePasskey'>;
}

/** Where a sign-in runs. A challenge is valid only there. */
export interface PasskeySignInPlace {
  clientId: string;
  /** The id of an interaction, on pages. */
  boundTo?: string | undefined;
}

export interface PasskeySignInInput extends PasskeySignInPlace {
  /** The `sealed` of `ask`. */
  sealed: string;
  answer: PasskeyAnswer;
  /** The result of `rateLimits.browsers.read`, if a browser sends the request. */
  browser?: string | undefined;
  /** Where the ceremony may have run. Undefined: our own pages. */
  origins?: readonly string[] | undefined;
}

/** Sign-in with a passkey and without a password. */
export interface PasskeySignIn {
  /** Asks for any passkey of this domain. `sealed` is valid for five minutes, for one sign-in. Nothing is stored. */
  ask(place: PasskeySignInPlace): { options: RequestOptions; sealed: string };
  /**
   * Signs the person in. It counts in the same limits as a password of the account.
   *
   * @throws GatehouseError `invalid_passkey`, the same for an unknown passkey and a wrong answer; `passkey_expired` when the
   *   challenge is too old, was used, or is for another client or place; `account_disabled`; `email_not_verified`;
   *   `too_many_requests`
   */
  finish(input: PasskeySignInInput): Promise<SignedIn>;
}

const askedSchema = z.strictObject({ challenge: z.string(), until: z.number() });

const contextOf = ({ clientId, boundTo = '' }: PasskeySignInPlace) =>
  `passkey sign-in ${clientId} ${boundTo}`;

export function createPasskeySignIn(deps: PasskeySignInDeps): PasskeySignIn {
  const { accounts, keys, passkeys, factors, clock, unitOfWork, rateLimits, metrics } = deps;

  const signIn = async (input: PasskeySignInInput, challenge: string): Promise<SignedIn> => {
    const { answer, browser, clientId, origins } = input;
    const passkey = await passkeys.find(answer.id);
    const known = passkey && (await accounts.findById(passkey.accountId));
    if (known) noteAccount(known.id);
    // An unknown passkey counts by itself, so that guesses of ids are limited too.
    const email = known?.email ?? `passkey ${answer.id}`;
    const tried = { email, browser, tokenVersion: async () => known?.tokenVersion };
    return rateLimits.signIn(tried, async () => {
      if (passkey === undefined || known === undefined) throw invalidPasskey();
      const proof = await passkeys.prove(passkey, answer, { challenge, isFirstFactor: true, origins });
      await passkeys.spend(challenge);
      return unitOfWork.run(async (stores) => {
        const account = await stores.accounts.findById(known.id);
        if (account === undefined) throw invalidPasskey();
        if (account.state === 'disabled') throw disabled();
        // Only a sign-in with the password leads on to the proof of the address.
        const unconfirmed = deps.refuseUnconfirmed(account, { clientId });
        if (unconfirmed) throw unconfirmed;
        await factors.notePasskey(stores, account);
        await passkeys.use(stores, proof);
        const signedIn = { ...account, methods: multiFactorSignIn(proof.amr) };
        await writeSignIn(stores, deps, signedIn, clientId);
        return signedIn;
      });
    });
  };

  return {
    ask: (place) => {
      const challenge = randomToken(32);
      const asked = { challenge, until: clock.now() + ceremonyMs };
      return {
        options: requestOptions(passkeys.relyingParty.id, challenge),
        sealed: keys.seal(contextOf(place), JSON.stringify(asked)),
      };
    },
    finish: async (input) => {
      const text = keys.open(contextOf(input), input.sealed);
      const asked = text === undefined ? undefined : askedSchema.parse(JSON.parse(text));
      if (asked === undefined || asked.until < clock.now()) throw passkeyExpired();
      try {
        const account = await signIn(input, asked.challenge);
        metrics.signIns.inc({ outcome: 'succeeded' });
        return account;
      } catch (error) {
        reportSignIn(error, input.clientId, undefined, deps);
        throw error;
      }
    },
  };
}

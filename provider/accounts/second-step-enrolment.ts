import type { NewPasskeyAnswer } from '../lib/passkey-answers.ts';
import { multiFactorSignIn, type SignInMethods } from '../lib/password-sign-in.ts';
import type { Account } from '../ports/account-store.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import { amrOf, type PasskeyOffer, type PasskeyService } from './passkeys.ts';
import type { Enrolment, SecondFactorService } from './second-factors.ts';
import { type Asked, type Challenge, expired, type SecondStepInput } from './second-step-challenge.ts';
import { type SignedIn, twoFactors } from './sign-in.ts';
import { invalidPasskey } from './webauthn.ts';

/** A new passkey, with the `sealed` of its offer. */
export interface NewPasskeyInput {
  sealed: string;
  answer: NewPasskeyAnswer;
  name: string;
  language?: string | undefined;
}

/** A finished sign-in with a new factor, and the recovery codes of the account. */
export interface Enrolled {
  account: SignedIn;
  recoveryCodes: string[];
}

/** Adds a first factor to an account that needs one, as a part of its sign-in. */
export interface SecondStepEnrolment {
  /** Makes the secret of a new app for an account that needs one. Throws `second_factor_expired`. */
  offer(input: Asked): Promise<Enrolment>;
  /** Shows the offer again after a wrong code. Throws `second_factor_expired`. */
  reopen(input: Asked, sealed: string): Promise<Enrolment>;
  /** Adds the new app and finishes the sign-in. Gives the recovery codes too. Throws as `finish`. */
  enrol(input: SecondStepInput, sealed: string): Promise<Enrolled>;
  /** Makes a request for a passkey for an account that needs a second factor. Undefined when passkeys are off. Throws as `offer`. */
  offerPasskey(input: Asked): Promise<PasskeyOffer | undefined>;
  /** Adds the passkey and finishes the sign-in. Throws as `finish`, and as `PasskeyService.checkNew` and `add`. */
  enrolPasskey(input: Asked, passkey: NewPasskeyInput): Promise<Enrolled>;
}

/** What a sign-in has found before its transaction. */
export interface Prepared<T> {
  methods: SignInMethods;
  prove(stores: TransactionStores, account: Account): Promise<T>;
}

export interface EnrolmentDeps {
  factors: SecondFactorService;
  passkeys?: PasskeyService | undefined;
  /** Opens the challenge of an account without a factor. Throws `second_factor_expired`. */
  open(input: Asked): Challenge;
  /** Counts the try, and writes `user.login` in the transaction of what was prepared. */
  signIn<T>(
    input: Asked,
    challenge: Challenge,
    prepare: () => Promise<Prepared<T>>,
  ): Promise<{ account: SignedIn; proof: T }>;
}

export function createEnrolment({ factors, passkeys, open, signIn }: EnrolmentDeps): SecondStepEnrolment {
  const placeOf = ({ accountId }: Challenge, { boundTo = '' }: Pick<Asked, 'boundTo'>) => ({
    accountId,
    boundTo,
  });

  return {
    offer: async (input) => {
      const { accountId: id, email } = open(input);
      return factors.offer({ id, email }, input.boundTo ?? '');
    },
    reopen: async (input, sealed) => {
      const challenge = open(input);
      const { accountId: id, email } = challenge;
      return factors.reopen({ id, email }, placeOf(challenge, input), sealed);
    },
    enrol: async (input, sealed) => {
      const challenge = open(input);
      const { code = '', language } = input;
      const offered = { sealed, place: placeOf(challenge, input), code, language };
      const { account, proof } = await signIn(input, challenge, async () => ({
        methods: twoFactors,
        prove: (stores, found) => factors.add(stores, found, offered),
      }));
      return { account, recoveryCodes: proof };
    },
    offerPasskey: async (input) => {
      const { accountId: id, email } = open(input);
      return passkeys?.offer({ id, email }, input.boundTo ?? '');
    },
    enrolPasskey: async (input, { name, language, ...offered }) => {
      const challenge = open(input);
      if (passkeys === undefined) throw invalidPasskey();
      const { account, proof } = await signIn(input, challenge, async () => {
        const checked = await passkeys.checkNew(placeOf(challenge, input), offered);
        return {
          methods: multiFactorSignIn(['pwd', ...amrOf(checked)]),
          prove: async (stores, found) => {
            // The account needed a first factor. Another one was added meanwhile.
            const codes = await passkeys.add(stores, found, checked, { name, language });
            if (codes === undefined) throw expired();
            return codes;
          },
        };
      });
      return { account, recoveryCodes: proof };
    },
  };
}

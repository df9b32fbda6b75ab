import { GatehouseError } from '../lib/errors.ts';
import { randomToken } from '../lib/ids.ts';
import type { NewPasskeyAnswer, PasskeyAnswer } from '../lib/passkey-answers.ts';
import { multiFactorSignIn, type SignInMethods } from '../lib/password-sign-in.ts';
import { noteAccount } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { Passkey } from '../ports/passkeys.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import { amrOf, type PasskeyOffer, type PasskeyService } from './passkeys.ts';
import type { Enrolment, SecondFactorService } from './second-factors.ts';
import {
  type Challenge,
  expired,
  openChallenge,
  type SecondFactorMethod,
  sealChallenge,
} from './second-step-challenge.ts';
import {
  type AskedSignIn,
  disabled,
  reportSignIn,
  type SecondFactorGate,
  type SignedIn,
  type SignInOptions,
  twoFactors,
  writeSignIn,
} from './sign-in.ts';
import { invalidPasskey, type RequestOptions, requestOptions } from './webauthn.ts';

export interface SecondStepDeps
  extends Pick<SignInOptions, 'unitOfWork' | 'rateLimits' | 'newEvent' | 'clock' | 'metrics' | 'logger'> {
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  factors: SecondFactorService;
  /** Undefined when passkeys are off. */
  passkeys?: PasskeyService | undefined;
}

/** The second form of a sign-in. `clientId` and `boundTo` must be those of the first one. */
export interface SecondStepInput extends Pick<AskedSignIn, 'clientId' | 'boundTo'> {
  challenge: string;
  /** A code of the app, or a recovery code. */
  code?: string | undefined;
  /** The answer of a passkey, instead of a code. */
  passkey?: PasskeyAnswer | undefined;
  /** Where the passkey may have been used. Undefined: our own pages. */
  origins?: readonly string[] | undefined;
  /** The result of `rateLimits.browsers.read`, if a browser sends the request. */
  browser?: string | undefined;
}

/** A new passkey, with the `sealed` of its offer. */
export interface NewPasskeyInput {
  sealed: string;
  answer: NewPasskeyAnswer;
  name: string;
  language?: string | undefined;
}

/** What the account of a challenge can use. */
export interface SecondFactorMethods {
  methods: SecondFactorMethod[];
  /** For `navigator.credentials.get`, if `passkey` is among the methods. */
  passkey?: RequestOptions | undefined;
}

type Asked = Omit<SecondStepInput, 'code' | 'passkey' | 'origins'>;

export interface SecondStep {
  gate: SecondFactorGate;
  /** Tells what to ask for. Throws `second_factor_expired`. */
  methods(input: Asked): Promise<SecondFactorMethods>;
  /**
   * Finishes a sign-in with a code of the app, a recovery code or a passkey. Wrong ones count in the same limits as wrong
   * passwords.
   *
   * @throws GatehouseError `invalid_second_factor`; `invalid_passkey`; `second_factor_expired` when the challenge is too old, was used, is
   *   for another client or place, or the account changed meanwhile; `account_disabled`; `too_many_requests`
   */
  finish(input: SecondStepInput): Promise<SignedIn>;
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

/** A finished sign-in with a new factor, and the recovery codes of the account. */
export interface Enrolled {
  account: SignedIn;
  recoveryCodes: string[];
}

/**
 * The second step of a sign-in. Between the steps nothing is stored: the caller keeps a challenge that we encrypted, so
 * any process can answer. It names the state of the factor, and each use changes this state. So a challenge is good for
 * one sign-in.
 */
export function createSecondStep(deps: SecondStepDeps): SecondStep {
  const { factors, passkeys, unitOfWork, rateLimits, metrics } = deps;

  const open = (input: Asked, isEnrolment: boolean): Challenge => openChallenge(deps, input, isEnrolment);
  /**
   * Counts the try, reads the account again and writes `user.login`, all or nothing.
   * @param prepare what takes time: it runs before the transaction
   */
  const signIn = async <T>(
    input: Asked,
    challenge: Challenge,
    prepare: () => Promise<Prepared<T>>,
  ): Promise<{ account: SignedIn; proof: T }> => {
    const { accountId, email, tokenVersion, needsNewPassword } = challenge;
    const tried = {
      email,
      browser: input.browser,
      tokenVersion: async () => tokenVersion,
      challengeId: challenge.id,
    };
    try {
      const done = await rateLimits.signIn(tried, async () => {
        const { prove, methods } = await prepare();
        return unitOfWork.run(async (stores) => {
          const account = await stores.accounts.findById(accountId);
          if (account?.state === 'disabled') throw disabled();
          if (account === undefined || account.tokenVersion !== tokenVersion) throw expired();
          const proof = await prove(stores, account);
          const signedIn = { ...account, needsNewPassword, methods };
          await writeSignIn(stores, deps, signedIn, input.clientId);
          return { account: signedIn, proof };
        });
      });
      metrics.signIns.inc({ outcome: 'succeeded' });
      noteAccount(accountId);
      return done;
    } catch (error) {
      reportSignIn(error, input.clientId, accountId, deps);
      throw error;
    }
  };
  const checkPasskey = async (
    { accountId, webauthn, uses }: Challenge,
    answer: PasskeyAnswer,
    origins: readonly string[] | undefined,
  ): Promise<Prepared<void>> => {
    const passkey = await passkeys?.find(answer.id);
    if (!passkeys || passkey?.accountId !== accountId || webauthn === undefined) throw invalidPasskey();
    const asked = { challenge: webauthn, isFirstFactor: false, origins };
    const proof = await passkeys.prove(passkey, answer, asked);
    return {
      methods: multiFactorSignIn(['pwd', ...proof.amr]),
      prove: async (stores, account) => {
        await factors.notePasskey(stores, account, uses);
        await passkeys.use(stores, proof);
      },
    };
  };
  const optionsOf = (webauthn: string | undefined, own: readonly Passkey[]) =>
    passkeys && webauthn !== undefined ? requestOptions(passkeys.relyingParty.id, webauthn, own) : undefined;
  const placeOf = ({ accountId }: Challenge, { boundTo = '' }: Pick<AskedSignIn, 'boundTo'>) => ({
    accountId,
    boundTo,
  });

  return {
    gate: {
      ask: async (stores, account, asked) => {
        const { secondFactors } = stores;
        const factor = account.hasSecondFactor ? await secondFactors.find(account.id) : undefined;
        const own = factor && passkeys ? await stores.passkeys.list(account.id) : [];
        const methods: SecondFactorMethod[] = [
          ...(factor?.hasApp ? (['otp'] as const) : []),
          ...(own.length > 0 ? (['passkey'] as const) : []),
          'recovery_code',
        ];
        const webauthn = own.length > 0 ? randomToken(32) : undefined;
        const sealed = sealChallenge(deps, asked, {
          accountId: account.id,
          email: account.email,
          tokenVersion: account.tokenVersion,
          uses: factor?.uses,
          methods: factor && methods,
          webauthn,
          needsNewPassword: asked.needsNewPassword,
        });
        if (factor) return required(sealed, { methods, passkey: optionsOf(webauthn, own) });
        // Only pages can show a new secret to the person.
        return missing(asked.boundTo === undefined ? undefined : sealed);
      },
      prove: async (stores, account, code) => {
        if (!account.hasSecondFactor) throw missing();
        await factors.use(stores, account, code);
      },
    },
    methods: async (input) => {
      const { accountId, methods = [], webauthn } = open(input, false);
      return { methods, passkey: passkeys && optionsOf(webauthn, await passkeys.list(accountId)) };
    },
    finish: async (input) => {
      const challenge = open(input, false);
      const { passkey: answer, code = '' } = input;
      const withCode = async (): Promise<Prepared<void>> => ({
        methods: twoFactors,
        prove: (stores, account) => factors.use(stores, account, code, challenge.uses),
      });
      const prepare = answer ? () => checkPasskey(challenge, answer, input.origins) : withCode;
      return (await signIn(input, challenge, prepare)).account;
    },
    offer: async (input) => {
      const { accountId: id, email } = open(input, true);
      return factors.offer({ id, email }, input.boundTo ?? '');
    },
    reopen: async (input, sealed) => {
      const challenge = open(input, true);
      const { accountId: id, email } = challenge;
      return factors.reopen({ id, email }, placeOf(challenge, input), sealed);
    },
    enrol: async (input, sealed) => {
      const challenge = open(input, true);
      const offered = { sealed, place: placeOf(challenge, input) };
      const { account, proof } = await signIn(input, challenge, async () => ({
        methods: twoFactors,
        prove: (stores, found) => factors.add(stores, found, { ...offered, code: input.code ?? '' }),
      }));
      return { account, recoveryCodes: proof };
    },
    offerPasskey: async (input) => {
      const { accountId: id, email } = open(input, true);
      return passkeys?.offer({ id, email }, input.boundTo ?? '');
    },
    enrolPasskey: async (input, { name, language, ...offered }) => {
      const challenge = open(input, true);
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

/** What a sign-in has found before its transaction. */
interface Prepared<T> {
  methods: SignInMethods;
  prove(stores: TransactionStores, account: Account): Promise<T>;
}

const required = (challenge: string, { methods, passkey }: SecondFactorMethods) =>
  new GatehouseError('second_factor_required', 'This account needs a second factor. Send its code.', {
    members: { challenge, methods, ...(passkey && { passkey }) },
  });

const missing = (challenge?: string) =>
  new GatehouseError(
    'second_factor_missing',
    'This account must have a second factor first. Sign in once on a page: it shows how to add one.',
    challenge === undefined ? {} : { members: { challenge } },
  );

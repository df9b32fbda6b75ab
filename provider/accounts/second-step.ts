import { GatehouseError } from '../lib/errors.ts';
import { randomToken } from '../lib/ids.ts';
import type { PasskeyAnswer } from '../lib/passkey-answers.ts';
import { multiFactorSignIn, type SignInMethods } from '../lib/password-sign-in.ts';
import { noteAccount } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { Passkey } from '../ports/passkeys.ts';
import type { StoredFactor } from '../ports/second-factors.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { LostFactors } from './lost-factors.ts';
import type { PasskeyService } from './passkeys.ts';
import type { AskedSignIn, SecondFactorGate } from './second-factor-gate.ts';
import { isAppCode, type SecondFactorService } from './second-factors.ts';
import {
  type Asked,
  type Challenge,
  expired,
  openChallenge,
  type SecondFactorMethod,
  type SecondStepInput,
  sealChallenge,
} from './second-step-challenge.ts';
import { createEnrolment, type Prepared, type SecondStepEnrolment } from './second-step-enrolment.ts';
import {
  disabled,
  reportSignIn,
  type SignedIn,
  type SignInOptions,
  twoFactors,
  writeSignIn,
} from './sign-in.ts';
import type { TrustedDevices } from './trusted-devices.ts';
import { invalidPasskey, type RequestOptions, requestOptions } from './webauthn.ts';

export interface SecondStepDeps
  extends Pick<SignInOptions, 'unitOfWork' | 'rateLimits' | 'newEvent' | 'clock' | 'metrics' | 'logger'> {
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  factors: SecondFactorService;
  /** Undefined when passkeys are off. */
  passkeys?: PasskeyService | undefined;
  trustedDevices: TrustedDevices;
  lostFactors: LostFactors;
}

/** What the account of a challenge can use. */
export interface SecondFactorMethods {
  methods: SecondFactorMethod[];
  /** For `navigator.credentials.get`, if `passkey` is among the methods. */
  passkey?: RequestOptions | undefined;
}

export interface SecondStep extends SecondStepEnrolment {
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
  finish(input: SecondStepInput): Promise<SecondStepDone>;
  /**
   * Asks to remove the factors of a person who lost all of them.
   * @returns from when on a sign-in with the password removes them, in milliseconds since the epoch
   * @throws GatehouseError `second_factor_expired`
   */
  reportLost(input: Asked): Promise<number>;
  /**
   * Gives a challenge to a person who is signed in with the password already. Undefined if the account has no factor: then
   * only the password allows to add one, because a thief of the session could add an app of his own.
   */
  stepUp(accountId: string, asked: Pick<AskedSignIn, 'clientId' | 'boundTo'>): Promise<string | undefined>;
}

/** What a code adds to a session. */
const addedCode: SignInMethods = multiFactorSignIn(['otp']);

/** A finished second step. */
export type SecondStepDone = SignedIn & {
  /** No password was typed: `methods` has only what was added to the session, which keeps its time. */
  isStepUp?: true | undefined;
  /** The proof for the browser, if the person trusts it. */
  proof?: string | undefined;
};

/**
 * The second step of a sign-in. Between the steps nothing is stored: the caller keeps a challenge that we encrypted, so
 * any process can answer. It names the state of the factor, and each use changes this state. So a challenge is good for
 * one sign-in.
 */
export function createSecondStep(deps: SecondStepDeps): SecondStep {
  const { factors, passkeys, unitOfWork, rateLimits, metrics, trustedDevices } = deps;

  const open = (input: Asked, isEnrolment: boolean): Challenge => openChallenge(deps, input, isEnrolment);
  const optionsOf = (webauthn: string | undefined, own: readonly Passkey[]) =>
    passkeys && webauthn !== undefined ? requestOptions(passkeys.relyingParty.id, webauthn, own) : undefined;
  /** @param id undefined for a step-up */
  const newChallenge = async (
    stores: Pick<TransactionStores, 'passkeys'>,
    { id: accountId, email, tokenVersion }: Account,
    factor: StoredFactor | undefined,
    asked: AskedSignIn,
    id?: string,
  ) => {
    const own = factor && passkeys ? await stores.passkeys.list(accountId) : [];
    const methods: SecondFactorMethod[] = [
      ...(factor?.hasApp ? (['otp'] as const) : []),
      ...(own.length > 0 ? (['passkey'] as const) : []),
      'recovery_code',
    ];
    const webauthn = own.length > 0 ? randomToken(32) : undefined;
    const { needsNewPassword } = asked;
    const state = { id, accountId, email, tokenVersion, uses: factor?.uses, webauthn, needsNewPassword };
    const sealed = sealChallenge(deps, asked, { ...state, methods: factor && methods });
    return { sealed, methods, passkey: optionsOf(webauthn, own) };
  };
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
      hasAppCode: challenge.uses !== undefined && isAppCode(input.code ?? ''),
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
    { id, accountId, webauthn, uses }: Challenge,
    answer: PasskeyAnswer,
    origins: readonly string[] | undefined,
  ): Promise<Prepared<void>> => {
    const passkey = await passkeys?.find(answer.id);
    if (!passkeys || passkey?.accountId !== accountId || webauthn === undefined) throw invalidPasskey();
    const asked = { challenge: webauthn, isFirstFactor: false, origins };
    const proof = await passkeys.prove(passkey, answer, asked);
    return {
      methods: multiFactorSignIn(id === undefined ? proof.amr : ['pwd', ...proof.amr]),
      prove: async (stores, account) => {
        await factors.notePasskey(stores, account, uses);
        await passkeys.use(stores, proof);
      },
    };
  };
  return {
    gate: {
      ask: async (stores, account, asked) => {
        const { secondFactors } = stores;
        const factor = account.hasSecondFactor ? await secondFactors.find(account.id) : undefined;
        const { sealed, ...offered } = await newChallenge(stores, account, factor, asked, randomToken(16));
        if (factor) return required(sealed, offered);
        // Only pages can show a new secret to the person.
        return missing(asked.boundTo === undefined ? undefined : sealed);
      },
      trusts: async ({ secondFactors }, account, proofs) => {
        const factor = account.hasSecondFactor ? await secondFactors.find(account.id) : undefined;
        return factor !== undefined && trustedDevices.isTrusted(proofs, account, factor.id);
      },
      removeIfDue: deps.lostFactors.removeIfDue,
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
      const { passkey: answer, code = '', language } = input;
      const withCode = async (): Promise<Prepared<void>> => ({
        methods: challenge.id === undefined ? addedCode : twoFactors,
        prove: (stores, account) => factors.use(stores, account, code, { uses: challenge.uses, language }),
      });
      const prepare = answer ? () => checkPasskey(challenge, answer, input.origins) : withCode;
      const trusting = async () => {
        const { methods, prove } = await prepare();
        return {
          methods,
          prove: async (stores: TransactionStores, account: Account) => {
            await prove(stores, account);
            const factor = input.trust ? await stores.secondFactors.find(account.id) : undefined;
            return factor && trustedDevices.proofFor(account, factor.id);
          },
        };
      };
      const { account, proof } = await signIn(input, challenge, trusting);
      return challenge.id === undefined ? { ...account, isStepUp: true } : { ...account, proof };
    },
    reportLost: async (input) => {
      const { id, accountId, tokenVersion } = open(input, false);
      // Without an id, no password was typed before this challenge.
      if (id === undefined) throw expired();
      const dueAt = await unitOfWork.run(async (stores) => {
        const account = await stores.accounts.findById(accountId);
        if (account?.state !== 'active' || account.tokenVersion !== tokenVersion) throw expired();
        return deps.lostFactors.request(stores, account, input.language);
      });
      if (dueAt === undefined) throw expired();
      return dueAt;
    },
    stepUp: (accountId, asked) =>
      unitOfWork.run(async (stores) => {
        const account = await stores.accounts.findById(accountId);
        if (account?.state !== 'active') return undefined;
        const factor = await stores.secondFactors.find(accountId);
        return factor && (await newChallenge(stores, account, factor, asked)).sealed;
      }),
    ...createEnrolment({ factors, passkeys, open: (input) => open(input, true), signIn }),
  };
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

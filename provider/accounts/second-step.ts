import { z } from 'zod';
import { GatehouseError } from '../lib/errors.ts';
import { randomToken } from '../lib/ids.ts';
import { multiFactorSignIn, type SignInMethods } from '../lib/password-sign-in.ts';
import { noteAccount } from '../lib/request-scope.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { Account } from '../ports/account-store.ts';
import type { StoredFactor } from '../ports/second-factors.ts';
import type { TransactionStores } from '../ports/unit-of-work.ts';
import type { LostFactors } from './lost-factors.ts';
import { type Enrolment, isAppCode, type SecondFactorService } from './second-factors.ts';
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
import type { TrustedDevices } from './trusted-devices.ts';

export interface SecondStepDeps
  extends Pick<SignInOptions, 'unitOfWork' | 'rateLimits' | 'newEvent' | 'clock' | 'metrics' | 'logger'> {
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  factors: SecondFactorService;
  trustedDevices: TrustedDevices;
  lostFactors: LostFactors;
}

/** The second form of a sign-in. `clientId` and `boundTo` must be those of the first one. */
export interface SecondStepInput extends Pick<AskedSignIn, 'clientId' | 'boundTo'> {
  challenge: string;
  code: string;
  /** The result of `rateLimits.browsers.read`, if a browser sends the request. */
  browser?: string | undefined;
  /** Whether the person wants no code in this browser for some days. */
  trust?: boolean | undefined;
  /** The language of the page, for mails about the factor. */
  language?: string | undefined;
}

export interface SecondStep {
  gate: SecondFactorGate;
  /**
   * Finishes a sign-in with a code of the app or a recovery code. Wrong codes count in the same limits as wrong passwords.
   *
   * @throws GatehouseError `invalid_second_factor`; `second_factor_expired` when the challenge is too old, was used, is
   *   for another client or place, or the account changed meanwhile; `account_disabled`; `too_many_requests`
   */
  finish(input: SecondStepInput): Promise<SecondStepDone>;
  /**
   * Asks to remove the factors of a person who lost all of them.
   * @returns from when on a sign-in with the password removes them, in milliseconds since the epoch
   * @throws GatehouseError `second_factor_expired`
   */
  reportLost(input: Omit<SecondStepInput, 'code'>): Promise<number>;
  /**
   * Gives a challenge to a person who is signed in with the password already. Undefined if the account has no factor: then
   * only the password allows to add one, because a thief of the session could add an app of his own.
   */
  stepUp(accountId: string, asked: Pick<AskedSignIn, 'clientId' | 'boundTo'>): Promise<string | undefined>;
  /** Makes the secret of a new app for an account that needs one. Throws `second_factor_expired`. */
  offer(input: Omit<SecondStepInput, 'code'>): Promise<Enrolment>;
  /** Shows the offer again after a wrong code. Throws `second_factor_expired`. */
  reopen(input: Omit<SecondStepInput, 'code'>, sealed: string): Promise<Enrolment>;
  /** Adds the new app and finishes the sign-in. Gives the recovery codes too. Throws as `finish`. */
  enrol(input: SecondStepInput, sealed: string): Promise<{ account: SignedIn; recoveryCodes: string[] }>;
}

/** A finished second step. */
export type SecondStepDone = SignedIn & {
  /** No password was typed: `methods` has only what was added to the session, which keeps its time. */
  isStepUp?: true | undefined;
  /** The proof for the browser, if the person trusts it. */
  proof?: string | undefined;
};

/** What a code adds to a session. */
const addedCode: SignInMethods = multiFactorSignIn(['otp']);

const challengeMs = { code: 300_000, enrolment: 600_000 };

const challengeSchema = z.strictObject({
  /** Left out for a step-up: no password was counted before, so each of its codes counts as a try. */
  id: z.string().optional(),
  accountId: z.string(),
  email: z.string(),
  tokenVersion: z.number(),
  /** The uses of the factor at the time of the password. Left out if the account has no factor yet. */
  uses: z.number().optional(),
  needsNewPassword: z.literal(true).optional(),
  until: z.number(),
});

type Challenge = z.infer<typeof challengeSchema>;

/** The challenge is valid for one client, and on pages for one interaction. */
const contextOf = ({ clientId, boundTo = '' }: Pick<AskedSignIn, 'clientId' | 'boundTo'>) =>
  `second factor challenge ${clientId} ${boundTo}`;

/**
 * The second step of a sign-in. Between the steps nothing is stored: the caller keeps a challenge that we encrypted, so
 * any process can answer. It names the state of the factor, and each use changes this state. So a challenge is good for
 * one sign-in.
 */
export function createSecondStep(deps: SecondStepDeps): SecondStep {
  const { keys, clock, factors, unitOfWork, rateLimits, metrics, trustedDevices } = deps;

  const open = (input: Omit<SecondStepInput, 'code'>, isEnrolment: boolean): Challenge => {
    const text = keys.open(contextOf(input), input.challenge);
    const challenge = text === undefined ? undefined : challengeSchema.parse(JSON.parse(text));
    if (!challenge || challenge.until < clock.now() || (challenge.uses === undefined) !== isEnrolment)
      throw expired();
    return challenge;
  };
  /** @param id undefined for a step-up */
  const sealedChallenge = (
    { id: accountId, email, tokenVersion }: Account,
    factor: StoredFactor | undefined,
    asked: AskedSignIn,
    id?: string,
  ): string => {
    const { needsNewPassword } = asked;
    const until = clock.now() + (factor ? challengeMs.code : challengeMs.enrolment);
    const challenge: Challenge = {
      id,
      accountId,
      email,
      tokenVersion,
      uses: factor?.uses,
      needsNewPassword,
      until,
    };
    return keys.seal(contextOf(asked), JSON.stringify(challenge));
  };
  /** Counts the try, reads the account again and writes `user.login`, all or nothing. */
  const signIn = async <T>(
    input: SecondStepInput,
    challenge: Challenge,
    prove: (stores: TransactionStores, account: Account) => Promise<T>,
  ): Promise<{ account: SignedIn; proof: T }> => {
    const { accountId, email, tokenVersion, needsNewPassword } = challenge;
    const tried = {
      email,
      browser: input.browser,
      tokenVersion: async () => tokenVersion,
      challengeId: challenge.id,
      hasAppCode: challenge.uses !== undefined && isAppCode(input.code),
    };
    try {
      const done = await rateLimits.signIn(tried, () =>
        unitOfWork.run(async (stores) => {
          const account = await stores.accounts.findById(accountId);
          if (account?.state === 'disabled') throw disabled();
          if (account === undefined || account.tokenVersion !== tokenVersion) throw expired();
          const proof = await prove(stores, account);
          const signedIn = { ...account, needsNewPassword, methods: twoFactors };
          await writeSignIn(stores, deps, signedIn, input.clientId);
          return { account: signedIn, proof };
        }),
      );
      metrics.signIns.inc({ outcome: 'succeeded' });
      noteAccount(accountId);
      return done;
    } catch (error) {
      reportSignIn(error, input.clientId, accountId, deps);
      throw error;
    }
  };
  const placeOf = ({ accountId }: Challenge, { boundTo = '' }: Pick<AskedSignIn, 'boundTo'>) => ({
    accountId,
    boundTo,
  });

  return {
    gate: {
      ask: async ({ secondFactors }, account, asked) => {
        const factor = account.hasSecondFactor ? await secondFactors.find(account.id) : undefined;
        const sealed = sealedChallenge(account, factor, asked, randomToken(16));
        if (factor) return required(sealed);
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
    finish: async (input) => {
      const challenge = open(input, false);
      const use = async (stores: TransactionStores, account: Account) => {
        await factors.use(stores, account, input.code, { uses: challenge.uses, language: input.language });
        const factor = input.trust ? await stores.secondFactors.find(account.id) : undefined;
        return factor && trustedDevices.proofFor(account, factor.id);
      };
      const { account, proof } = await signIn(input, challenge, use);
      return challenge.id === undefined
        ? { ...account, methods: addedCode, isStepUp: true }
        : { ...account, proof };
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
      unitOfWork.run(async ({ accounts, secondFactors }) => {
        const account = await accounts.findById(accountId);
        if (account?.state !== 'active') return undefined;
        const factor = await secondFactors.find(accountId);
        return factor && sealedChallenge(account, factor, asked);
      }),
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
      const { code, language } = input;
      const offered = { sealed, place: placeOf(challenge, input), code, language };
      const { account, proof } = await signIn(input, challenge, (stores, found) =>
        factors.add(stores, found, offered),
      );
      return { account, recoveryCodes: proof };
    },
  };
}

const required = (challenge: string) =>
  new GatehouseError('second_factor_required', 'This account needs a second factor. Send its code.', {
    members: { challenge, methods: ['otp', 'recovery_code'] },
  });

const missing = (challenge?: string) =>
  new GatehouseError(
    'second_factor_missing',
    'This account must have a second factor first. Sign in once on a page: it shows how to add one.',
    challenge === undefined ? {} : { members: { challenge } },
  );

const expired = () =>
  new GatehouseError(
    'second_factor_expired',
    'This step has expired or is done. Start again with the password.',
  );

import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { PasskeyAnswer } from '../lib/passkey-answers.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import type { AskedSignIn } from './second-factor-gate.ts';

interface ChallengeDeps {
  keys: Pick<ServerKeys, 'seal' | 'open'>;
  clock: Clock;
}

const methods = ['otp', 'passkey', 'recovery_code'] as const;

export type SecondFactorMethod = (typeof methods)[number];

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
  /** Whether the person wants no code in this browser for some days. */
  trust?: boolean | undefined;
  /** The language of the page, for mails about the factor. */
  language?: string | undefined;
}

/** The second form of a sign-in, without an answer of a passkey. */
export type Asked = Omit<SecondStepInput, 'passkey' | 'origins'>;

const challengeMs = { code: 300_000, enrolment: 600_000 };

const challengeSchema = z.strictObject({
  /** Left out for a step-up: no password was counted before, so each of its codes counts as a try. */
  id: z.string().optional(),
  accountId: z.string(),
  email: z.string(),
  tokenVersion: z.number(),
  /** The uses of the factor at the time of the password. Left out if the account has no factor yet. */
  uses: z.number().optional(),
  methods: z.array(z.enum(methods)).optional(),
  /** What a passkey has to sign, base64url. It is as good as the challenge itself: for one sign-in. */
  webauthn: z.string().optional(),
  needsNewPassword: z.literal(true).optional(),
  until: z.number(),
});

export type Challenge = z.infer<typeof challengeSchema>;

/** The challenge is valid for one client, and on pages for one interaction. */
const contextOf = ({ clientId, boundTo = '' }: Pick<AskedSignIn, 'clientId' | 'boundTo'>) =>
  `second factor challenge ${clientId} ${boundTo}`;

/** Seals the state after a right password, or for a step-up. The result is valid for five minutes, or ten if the account has no factor yet. */
export function sealChallenge(
  { keys, clock }: ChallengeDeps,
  asked: Pick<AskedSignIn, 'clientId' | 'boundTo'>,
  state: Omit<Challenge, 'until'>,
): string {
  const lifetime = state.uses === undefined ? challengeMs.enrolment : challengeMs.code;
  const challenge: Challenge = { ...state, until: clock.now() + lifetime };
  return keys.seal(contextOf(asked), JSON.stringify(challenge));
}

/**
 * Opens a challenge at the client and the place where it was made.
 * @param isEnrolment whether it must be for an account without a factor; else it must be for one with a factor
 * @throws GatehouseError `second_factor_expired`
 */
export function openChallenge(
  { keys, clock }: ChallengeDeps,
  input: Pick<AskedSignIn, 'clientId' | 'boundTo'> & { challenge: string },
  isEnrolment: boolean,
): Challenge {
  const text = keys.open(contextOf(input), input.challenge);
  const challenge = text === undefined ? undefined : challengeSchema.parse(JSON.parse(text));
  if (!challenge || challenge.until < clock.now() || (challenge.uses === undefined) !== isEnrolment)
    throw expired();
  return challenge;
}

export const expired = () =>
  new GatehouseError(
    'second_factor_expired',
    'This step has expired or is done. Start again with the password.',
  );

import { z } from 'zod';
import type { SignedIn } from '../accounts/sign-in.ts';
import { GatehouseError } from '../lib/errors.ts';
import { nameOfUserAgent } from './account/describe-sign-ins.ts';
import { csrfToken } from './csrf.ts';
import { interactionPath, stepUpResult } from './interaction.ts';
import { timeIn } from './mail-renderer.ts';
import { asksForPasskey, passkeyForm, readAnswer } from './passkey-form.ts';
import { sendPage } from './send-page.ts';
import { type EndSignIn, faceOf, finishSignIn, problemOf, showSignIn } from './sign-in.ts';
import type { InteractionDeps, Step } from './step.ts';
import type { FormError, QrView, SecondFactorField } from './view-values.ts';

type Problem = { status: number; error: FormError<SecondFactorField> };

/**
 * Asks only for the code, if everything else of the sign-in is there already.
 * @returns false if the person must sign in with the password
 */
export async function showStepUp(deps: InteractionDeps, step: Step, problem?: Problem): Promise<boolean> {
  const { accountId, stepUp, uid } = step.interaction;
  if (stepUp === undefined || accountId === undefined) return false;
  const challenge = await deps.secondStep.stepUp(accountId, { clientId: step.client.id, boundTo: uid });
  if (challenge === undefined) return false;
  await showCodeForm(deps, step, { challenge, remember: false }, problem);
  return true;
}

/** Everything that the next form needs. It is in hidden fields and encrypted, so any process can answer. */
interface Carried {
  challenge: string;
  remember: boolean;
  /** When the factors that the person lost can be removed, in milliseconds since the epoch. */
  removalAt?: number;
}

/**
 * Continues a sign-in whose password was right: asks for the code, or shows how to add an authenticator app. Throws every
 * other error again.
 * @param form the form with the password
 */
export async function continueWithSecondFactor(
  deps: InteractionDeps,
  step: Step,
  error: unknown,
  form: Record<string, string>,
): Promise<void> {
  const challenge = error instanceof GatehouseError ? error.members?.challenge : undefined;
  if (typeof challenge !== 'string') throw error;
  const carried = { challenge, remember: form.remember === 'yes' };
  if ((error as GatehouseError).code === 'second_factor_required') await showCodeForm(deps, step, carried);
  else await showEnrolment(deps, step, carried);
}

/**
 * Handles all forms of the second step: a code of the app or a recovery code, the first code of a new app, and the button
 * below new recovery codes.
 * @param end what follows a sign-in with a factor that the account had
 */
export async function secondFactorByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
  end: EndSignIn,
): Promise<void> {
  if (form.done !== undefined) return finishDone(deps, step, openDone(deps, step, form.done));
  const { challenge = '', enrolment } = form;
  const carried = { challenge, remember: form.remember === 'yes' };
  try {
    if (form.sealed !== undefined) return await enrolPasskey(deps, step, carried, form);
    if (form.lost === 'yes')
      return showCodeForm(deps, step, {
        ...carried,
        removalAt: await deps.secondStep.reportLost(inputOf(deps, step, challenge)),
      });
    if (enrolment === undefined) return await signInWithCode(deps, step, carried, form, end);
    return await enrol(deps, step, carried, form);
  } catch (error) {
    const { email = '' } = form;
    const problem = problemOf(deps, step, error, { email, password: '', newPassword: '' });
    if ((error as GatehouseError).code === 'invalid_second_factor') {
      const field = enrolment === undefined && form.recoveryCode !== undefined ? 'recoveryCode' : 'code';
      const wrong = { status: problem.status, error: { field, message: problem.error.message } } as const;
      if (enrolment === undefined) return showCodeForm(deps, step, carried, wrong);
      return showEnrolment(deps, step, carried, { sealed: enrolment, problem: wrong });
    }
    if ((error as GatehouseError).code === 'invalid_passkey') {
      const refused = { ...problem, error: { message: problem.error.message } };
      if (form.sealed === undefined) return showCodeForm(deps, step, carried, refused);
      return showEnrolment(deps, step, carried, { problem: refused });
    }
    const { text } = step.renderer;
    const isExpired = (error as GatehouseError).code === 'second_factor_expired';
    const message = isExpired ? text('second-factor.repeat') : problem.error.message;
    if (await showStepUp(deps, step, { status: problem.status, error: { message } })) return;
    await showSignIn(deps, step, { email, ticked: carried.remember, asksNewPassword: false, problem });
  }
}

const inputOf = (deps: InteractionDeps, step: Step, challenge: string) => ({
  challenge,
  clientId: step.client.id,
  boundTo: step.interaction.uid,
  browser: deps.browsers.read(step.ctx),
  language: step.renderer.language,
});

async function signInWithCode(
  deps: InteractionDeps,
  step: Step,
  { challenge }: Carried,
  form: Record<string, string>,
  end: EndSignIn,
): Promise<void> {
  const code = form.recoveryCode ?? form.code ?? '';
  const passkey =
    form.answer === undefined ? undefined : readAnswer(deps.passkeyAnswers.existing, form.answer);
  const trust = form.trust === 'yes';
  const account = await deps.secondStep.finish({ ...inputOf(deps, step, challenge), code, passkey, trust });
  if (account.isStepUp) return step.finish(stepUpResult(step.interaction, account.methods));
  if (account.proof !== undefined) deps.trustedBrowser.keep(step.ctx, account.proof);
  await end(deps, step, account, form);
}

async function enrolPasskey(
  deps: InteractionDeps,
  step: Step,
  { challenge, remember }: Carried,
  { answer, sealed = '' }: Record<string, string>,
): Promise<void> {
  const name = nameOfUserAgent(step.renderer, step.ctx.get('User-Agent')) ?? '';
  const { account, recoveryCodes } = await deps.secondStep.enrolPasskey(inputOf(deps, step, challenge), {
    sealed,
    answer: readAnswer(deps.passkeyAnswers.created, answer),
    name,
    language: step.renderer.language,
  });
  showRecoveryCodes(deps, step, doneOf(deps, account, remember), recoveryCodes);
}

async function enrol(
  deps: InteractionDeps,
  step: Step,
  { challenge, remember }: Carried,
  { code = '', enrolment = '' }: Record<string, string>,
): Promise<void> {
  const input = { ...inputOf(deps, step, challenge), code };
  const { account, recoveryCodes } = await deps.secondStep.enrol(input, enrolment);
  showRecoveryCodes(deps, step, doneOf(deps, account, remember), recoveryCodes);
}

/** A sign-in that is finished now. */
export function doneOf(deps: InteractionDeps, account: SignedIn, remember: boolean): Done {
  const { id, email, tokenVersion, methods } = account;
  return { id, email, tokenVersion, methods, remember, at: deps.epochSeconds() };
}

/** Shows new recovery codes, and finishes the sign-in at the next form. */
export function showRecoveryCodes(
  deps: InteractionDeps,
  step: Step,
  done: Done,
  codes: readonly string[],
): void {
  const { csrf, action } = formOf(deps, step);
  const form = { csrf, action, hidden: { done: sealDone(deps, step, done) } };
  const page = step.renderer.render('recovery-codes', { form, codes });
  sendPage(step.ctx, page, { redirectsTo: [step.interaction.redirectUri] });
}

/** A finished sign-in whose person still has to keep the recovery codes. It is good in this interaction only. */
const doneSchema = z.strictObject({
  id: z.string(),
  email: z.string(),
  tokenVersion: z.number(),
  methods: z.strictObject({ amr: z.array(z.string()), acr: z.string() }),
  remember: z.boolean(),
  at: z.number(),
});

export type Done = z.infer<typeof doneSchema>;

const doneContext = ({ interaction }: Step) => `second factor done ${interaction.uid}`;

export const sealDone = ({ keys }: InteractionDeps, step: Step, done: Done): string =>
  keys.seal(doneContext(step), JSON.stringify(done));

/** Throws `interaction_expired` for a value of another sign-in. */
export function openDone(deps: InteractionDeps, step: Step, sealed: string): Done {
  const text = deps.keys.open(doneContext(step), sealed);
  if (text === undefined)
    throw new GatehouseError(
      'interaction_expired',
      'This form is not of this sign-in. Go back and try again.',
    );
  return doneSchema.parse(JSON.parse(text));
}

/** Ends the interaction with a sign-in that was finished before. */
export const finishDone = (deps: InteractionDeps, step: Step, { remember: ticked, at, ...account }: Done) =>
  finishSignIn(deps, step, account, { ticked, at });

const formOf = (deps: InteractionDeps, step: Step) => ({
  ...faceOf(step),
  csrf: csrfToken(deps.keys, step.interaction.uid),
  action: interactionPath(deps.basePath, step.interaction, '/second-factor'),
  cancelAction: interactionPath(deps.basePath, step.interaction, '/cancel'),
});

const hiddenOf = ({ challenge, remember }: Carried): Record<string, string> =>
  remember ? { challenge, remember: 'yes' } : { challenge };

async function showCodeForm(
  deps: InteractionDeps,
  step: Step,
  carried: Carried,
  problem?: Problem,
): Promise<void> {
  const { methods, passkey: options } = await deps.secondStep.methods(inputOf(deps, step, carried.challenge));
  const hidden = hiddenOf(carried);
  const page = step.renderer.render('second-factor', {
    ...formOf(deps, step),
    hidden,
    hasApp: methods.includes('otp'),
    passkey: options && passkeyForm(deps, step, '/second-factor', { options, hidden }),
    asksForPasskey: asksForPasskey(deps, step),
    lostHours: step.interaction.stepUp ? 0 : deps.secondFactorRemovalHours,
    removalAt:
      carried.removalAt === undefined ? undefined : timeIn(step.renderer.language)(carried.removalAt),
    trustDays: step.interaction.stepUp ? 0 : deps.trustedBrowser.days,
    error: problem?.error,
  });
  sendPage(step.ctx, page, { status: problem?.status ?? 200, redirectsTo: [step.interaction.redirectUri] });
}

async function showEnrolment(
  deps: InteractionDeps,
  step: Step,
  carried: Carried,
  again?: { sealed?: string; problem: Problem },
): Promise<void> {
  const input = inputOf(deps, step, carried.challenge);
  const { secondStep } = deps;
  const { secret, uri, sealed } = await (again?.sealed
    ? secondStep.reopen(input, again.sealed)
    : secondStep.offer(input));
  const hidden = hiddenOf(carried);
  const offer = await secondStep.offerPasskey(input);
  const page = step.renderer.render('add-second-factor', {
    ...formOf(deps, step),
    hidden: { ...hidden, enrolment: sealed },
    passkey:
      offer &&
      passkeyForm(deps, step, '/second-factor', {
        options: offer.options,
        hidden: { ...hidden, sealed: offer.sealed },
      }),
    qr: await qrOf(uri),
    secret: inGroups(secret),
    error: again?.problem.error,
  });
  const status = again?.problem.status ?? 200;
  sendPage(step.ctx, page, { status, redirectsTo: [step.interaction.redirectUri] });
}

/** A QR code. The library is loaded at the first use, because most sign-ins do not need it. */
export async function qrOf(uri: string): Promise<QrView> {
  const { encode } = await import('uqr');
  const { size, data } = encode(uri, { ecc: 'M', border: 4 });
  // One rectangle for neighbours in a row, which makes the page much smaller.
  const rows = data.map((row) => row.map((isDark) => (isDark ? '1' : '0')).join(''));
  const path = rows.flatMap((row, y) =>
    [...row.matchAll(/1+/g)].map(({ 0: { length }, index: x }) => `M${x} ${y}h${length}v1h-${length}z`),
  );
  return { size, path: path.join('') };
}

/** Groups of four characters are easier to type. */
export const inGroups = (secret: string): string => secret.replace(/.{4}(?!$)/g, '$& ');

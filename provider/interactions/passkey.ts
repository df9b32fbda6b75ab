import { GatehouseError } from '../lib/errors.ts';
import { nameOfUserAgent } from './account/describe-sign-ins.ts';
import { csrfToken } from './csrf.ts';
import { asksForPasskey, passkeyForm, readAnswer, rememberAnswer } from './passkey-form.ts';
import { type Done, doneOf, finishDone, openDone, sealDone, showRecoveryCodes } from './second-factor.ts';
import { sendPage } from './send-page.ts';
import { type EndSignIn, faceOf, finishSignIn, problemOf, showSignIn } from './sign-in.ts';
import type { InteractionDeps, Step } from './step.ts';

/** Handles the forms with passkeys: a sign-in without a password, and the answer to the offer after a sign-in. */
export async function passkeyByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
): Promise<void> {
  if (form.done !== undefined) return answerOffer(deps, step, form.done, form);
  const ticked = form.remember === 'yes';
  try {
    const { passkeySignIn } = deps;
    if (passkeySignIn === undefined) throw new GatehouseError('not_found', 'Passkeys are switched off.');
    const account = await passkeySignIn.finish({
      clientId: step.client.id,
      boundTo: step.interaction.uid,
      sealed: form.sealed ?? '',
      answer: readAnswer(deps.passkeyAnswers.existing, form.answer),
      browser: deps.browsers.read(step.ctx),
    });
    await finishSignIn(deps, step, account, { ticked });
  } catch (error) {
    // Only the form with the password leads on to the proof of the address.
    const isUnconfirmed = error instanceof GatehouseError && error.code === 'email_not_verified';
    const problem = isUnconfirmed
      ? { status: 400, error: { message: step.renderer.text('passkey.unconfirmed') } }
      : problemOf(deps, step, error, { email: '', password: '', newPassword: '' });
    await showSignIn(deps, step, { email: '', ticked, asksNewPassword: false, problem });
  }
}

/**
 * Ends a sign-in, or first offers to add a passkey: if the script says that the device can make one, the account has
 * none, and the browser was not asked in the last 90 days.
 */
export const finishOrOffer: EndSignIn = async (deps, step, account, form) => {
  const isTicked = form.remember === 'yes';
  const isOffered =
    form.canAddPasskey === 'yes' &&
    asksForPasskey(deps, step) &&
    (await deps.passkeys?.list(account.id))?.length === 0;
  if (isOffered) await showOffer(deps, step, doneOf(deps, account, isTicked));
  else await finishSignIn(deps, step, account, { ticked: isTicked });
};

async function showOffer(deps: InteractionDeps, step: Step, done: Done, message?: string): Promise<void> {
  if (deps.passkeys === undefined) return finishDone(deps, step, done);
  const { id: accountId, tokenVersion, email } = done;
  const owner = { accountId, tokenVersion, email, boundTo: step.interaction.uid };
  const { options, sealed } = await deps.passkeys.offer(owner);
  const hidden = { done: sealDone(deps, step, done) };
  const page = step.renderer.render('add-passkey', {
    ...faceOf(step),
    passkey: passkeyForm(deps, step, '/passkey', { options, hidden: { ...hidden, sealed } }),
    later: { csrf: csrfToken(deps.keys, step.interaction.uid), hidden },
    error: message === undefined ? undefined : { message },
  });
  sendPage(step.ctx, page, {
    status: message === undefined ? 200 : 400,
    redirectsTo: [step.interaction.redirectUri],
  });
}

/** The person has signed in already, so a problem with the passkey does not stop the sign-in. */
async function answerOffer(
  deps: InteractionDeps,
  step: Step,
  sealedDone: string,
  form: Record<string, string>,
): Promise<void> {
  const done = openDone(deps, step, sealedDone);
  rememberAnswer(deps, step);
  if (form.later !== undefined || deps.passkeys === undefined) return finishDone(deps, step, done);
  const { id: accountId, tokenVersion } = done;
  const owner = { accountId, tokenVersion, boundTo: step.interaction.uid };
  const { language } = step.renderer;
  let codes: string[] | undefined;
  try {
    const answer = readAnswer(deps.passkeyAnswers.created, form.answer);
    const name = nameOfUserAgent(step.renderer, step.ctx.get('User-Agent')) ?? '';
    codes = await deps.passkeys.add(owner, { sealed: form.sealed ?? '', answer }, { name, language });
  } catch (error) {
    const message = passkeyProblem(step, error);
    return showOffer(deps, step, done, message);
  }
  if (codes === undefined) return finishDone(deps, step, done);
  showRecoveryCodes(deps, step, done, codes);
}

/** The message about a passkey that can't be added. Throws every other error again. */
export function passkeyProblem({ renderer }: Pick<Step, 'renderer'>, error: unknown): string {
  const { code } = error instanceof GatehouseError ? error : { code: '' };
  const keys: Record<string, string> = {
    invalid_passkey: 'passkey.failed',
    passkey_expired: 'passkey.expired',
    passkey_exists: 'passkey.exists',
    too_many_passkeys: 'passkey.too-many',
  };
  const key = keys[code];
  if (key === undefined) throw error;
  return renderer.text(key);
}

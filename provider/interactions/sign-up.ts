import { GatehouseError } from '../lib/errors.ts';
import { csrfToken } from './csrf.ts';
import { sendPage } from './send-page.ts';
import { faceOf, problemOf, signInByForm } from './sign-in.ts';
import type { InteractionDeps, Step } from './step.ts';
import type { FormError, SignInField } from './view-models.ts';

/** The least number of characters, as `accounts` checks it and as the page tells it. */
const passwordMinLength = 8;

type Again = { email: string; problem: { status: number; error: FormError<SignInField> } };

/** The sign-up page, where people may sign up themselves. */
export function showSignUp(deps: InteractionDeps, step: Step, again?: Again): void {
  if (!deps.register) throw new GatehouseError('not_found', 'People can’t sign up themselves here.');
  const { ctx, interaction } = step;
  const path = `${deps.basePath}/interaction/${interaction.uid}`;
  const html = deps.renderer.render('sign-up', {
    ...faceOf(step),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: `${path}/sign-up`,
    passwordMinLength,
    email: again?.email,
    error: again?.problem.error,
    signInUrl: path,
  });
  const status = again?.problem.status ?? 200;
  sendPage(ctx, html, { status, redirectsTo: [interaction.redirectUri] });
}

/**
 * Signs up, then in. Whether the address was known shows in neither step: for a known one the password is checked like
 * any other, and a wrong one gets the sign-in page's answer.
 */
export async function signUpByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
): Promise<void> {
  if (!deps.register) throw new GatehouseError('not_found', 'People can’t sign up themselves here.');
  const { email = '', password = '' } = form;
  try {
    await deps.register({ email, password });
  } catch (error) {
    showSignUp(deps, step, { email, problem: problemOf(deps, step, error) });
    return;
  }
  await signInByForm(deps, step, form);
}

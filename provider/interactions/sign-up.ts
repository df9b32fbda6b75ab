import { GatehouseError } from '../lib/errors.ts';
import { showConfirmAddress } from './confirm-address.ts';
import { csrfToken } from './csrf.ts';
import { interactionPath } from './interaction.ts';
import { sendPage } from './send-page.ts';
import { faceOf, problemOf, signInByForm } from './sign-in.ts';
import type { InteractionDeps, Step } from './step.ts';
import type { SignInField } from './view-models.ts';
import type { FormError } from './view-values.ts';

type Again = { email: string; problem: { status: number; error: FormError<SignInField> } };

/** Shows the sign-up page, if people may sign up themselves. */
export function showSignUp(deps: InteractionDeps, step: Step, again?: Again): void {
  if (!deps.register) throw closed();
  const { ctx, interaction, renderer } = step;
  const path = (name: string) => interactionPath(deps.basePath, interaction, name);
  const page = renderer.render('sign-up', {
    ...faceOf(step),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: path('/sign-up'),
    cancelAction: path('/cancel'),
    passwordMinLength: deps.passwordLength.shortest,
    email: again?.email,
    error: again?.problem.error,
    signInUrl: path('/sign-in'),
  });
  const status = again?.problem.status ?? 200;
  sendPage(ctx, page, { status, redirectsTo: [interaction.redirectUri] });
}

/**
 * Creates the account, then signs in. If the address already has an account, the person is signed in when the password
 * is right. When it is wrong, the sign-in page asks again. If addresses must be proved, the page that asks for the code
 * follows instead, for new and for known addresses.
 */
export async function signUpByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
): Promise<void> {
  if (!deps.register) throw closed();
  const { email = '', password = '' } = form;
  try {
    const place = { clientId: step.client.id, boundTo: step.interaction.uid };
    const { confirmation } = await deps.register({
      email,
      password,
      ...place,
      language: step.renderer.language,
    });
    if (confirmation !== undefined)
      return showConfirmAddress(deps, step, { confirmation, remember: false, state: 'sent' });
  } catch (error) {
    showSignUp(deps, step, {
      email,
      problem: problemOf(deps, step, error, { email, password, newPassword: '' }),
    });
    return;
  }
  await signInByForm(deps, step, form, { refusedKey: 'message.sign-up-failed' });
}

const closed = () => new GatehouseError('signup_disabled', 'People can’t sign up themselves here.');

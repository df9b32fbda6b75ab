import type { RouterContext } from '@koa/router';
import { GatehouseError } from '../lib/errors.ts';
import { emailKey } from '../ports/account-store.ts';
import { csrfToken } from './csrf.ts';
import { interactionPath } from './interaction.ts';
import { sendPage } from './send-page.ts';
import { faceOf, finishSignIn, problemOf } from './sign-in.ts';
import type { InteractionDeps, Step } from './step.ts';
import type { FormError } from './view-values.ts';

interface Shown {
  confirmation: string;
  remember: boolean;
  /** `sent`: a mail was sent just now; `again`: another one; `required`: a sign-in needs the address confirmed first. */
  state: 'sent' | 'again' | 'required';
  problem?: { status: number; error: FormError<'code'> } | undefined;
}

const placeOf = ({ client, interaction, renderer }: Step) => ({
  clientId: client.id,
  boundTo: interaction.uid,
  language: renderer.language,
});

/** Shows the page that asks for the code of the mail. It looks the same for new and for known addresses. */
export function showConfirmAddress(deps: InteractionDeps, step: Step, shown: Shown): void {
  const { ctx, interaction, renderer } = step;
  const { confirmation, remember, state, problem } = shown;
  const path = (name: string) => interactionPath(deps.basePath, interaction, name);
  const page = renderer.render('confirm-address', {
    ...faceOf(step),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: path('/confirm'),
    cancelAction: path('/cancel'),
    signInUrl: path('/sign-in'),
    email: deps.confirmAddress.addressOf({ ...placeOf(step), confirmation }),
    hidden: { confirmation, ...(remember ? { remember: 'yes' } : {}) },
    isSent: state !== 'required',
    notice: state === 'again' ? renderer.text('confirm-address.again.done') : undefined,
    mayWait: deps.mayConfirmLater && state !== 'required',
    error: problem?.error,
  });
  if (state === 'sent') rememberSignUp(deps, step, confirmation);
  sendPage(ctx, page, { status: problem?.status ?? 200, redirectsTo: [interaction.redirectUri] });
}

/** Handles the forms of that page, and the button of the link in the browser that signed up. */
export async function confirmByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
): Promise<void> {
  const { confirmation = '', token, code = '', again } = form;
  const remember = form.remember === 'yes';
  const input = { ...placeOf(step), confirmation };
  const shown = { confirmation, remember, state: 'sent' } as const;
  try {
    if (again !== undefined) {
      const renewed = await deps.sendConfirmationAgain(input);
      return showConfirmAddress(deps, step, { confirmation: renewed, remember, state: 'again' });
    }
    const proof = token === undefined ? { code } : { token };
    const needsSecondFactor = step.client.requireSecondFactor || step.interaction.needsSecondFactor;
    const account = await deps.confirmAddress.andSignIn({ ...input, ...proof, needsSecondFactor });
    await finishSignIn(deps, step, account, { ticked: remember });
  } catch (error) {
    if (token !== undefined) throw error;
    const isWrong = error instanceof GatehouseError && error.code === 'invalid_one_time_token';
    const message = step.renderer.text('confirm-address.wrong');
    const problem = isWrong
      ? { status: 400, error: { field: 'code' as const, message } }
      : formProblemOf(deps, step, error);
    showConfirmAddress(deps, step, { ...shown, problem });
  }
}

/** Throws every error again that is about no field. */
function formProblemOf(deps: InteractionDeps, step: Step, error: unknown) {
  const { status, error: shown } = problemOf(deps, step, error, { email: '', password: '', newPassword: '' });
  return { status, error: { message: shown.message } };
}

/** The sign-up that this browser began, if it began one lately. */
interface SignUpHere {
  uid: string;
  clientId: string;
  confirmation: string;
}

const signUpSeconds = 1800;

/** The prefix keeps a site under the same parent domain from setting the cookie (RFC 6265bis §4.1.3.2). */
const cookieName = (issuer: string) =>
  issuer.startsWith('https:') ? '__Host-gatehouse_sign_up' : 'gatehouse_sign_up';

/** Keeps the confirmation in a cookie, so that the link of the mail continues the sign-up in this browser. */
function rememberSignUp({ issuer }: InteractionDeps, { ctx, interaction }: Step, confirmation: string): void {
  const client = Buffer.from(interaction.clientId).toString('base64url');
  const secure = issuer.startsWith('https:') ? ' secure;' : '';
  const value = `${interaction.uid}.${client}.${confirmation}`;
  const attributes = `path=/; max-age=${signUpSeconds};${secure} httponly; samesite=lax`;
  ctx.append('Set-Cookie', `${cookieName(issuer)}=${value}; ${attributes}`);
}

/** Reads the cookie. Gives undefined unless it is of a sign-up with this address. */
export function signUpHere(
  deps: Pick<InteractionDeps, 'issuer' | 'confirmAddress'>,
  ctx: RouterContext,
  email: string,
): SignUpHere | undefined {
  const value = ctx.cookies.get(cookieName(deps.issuer), { signed: false }) ?? '';
  const [uid = '', client = '', confirmation = ''] = value.split('.');
  const here = { uid, clientId: Buffer.from(client, 'base64url').toString(), confirmation };
  try {
    const address = deps.confirmAddress.addressOf({ ...here, boundTo: uid });
    return emailKey(address) === emailKey(email) ? here : undefined;
  } catch (error) {
    if (error instanceof GatehouseError) return undefined;
    throw error;
  }
}

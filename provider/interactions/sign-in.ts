import { GatehouseError } from '../lib/errors.ts';
import { csrfToken } from './csrf.ts';
import { sendPage } from './send-page.ts';
import type { InteractionDeps, Step } from './step.ts';
import type { FormError, SignInField } from './view-models.ts';

type Problem = { status: number; error: FormError<SignInField> };

/** The sign-in page; with what was typed (never the password) and what was wrong with it, after a failed try. */
export async function showSignIn(
  deps: InteractionDeps,
  step: Step,
  again?: { email: string; problem: Problem },
): Promise<void> {
  const { ctx, interaction } = step;
  const path = `${deps.basePath}/interaction/${interaction.uid}`;
  const known = interaction.accountId ? await deps.account(interaction.accountId) : undefined;
  const html = deps.renderer.render('sign-in', {
    ...faceOf(step),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: `${path}/sign-in`,
    email: again?.email ?? interaction.loginHint ?? known?.email,
    error: again?.problem.error,
    signUpUrl: deps.register && `${path}/sign-up`,
  });
  const status = again?.problem.status ?? 200;
  sendPage(ctx, html, { status, redirectsTo: [interaction.redirectUri] });
}

/** What pages show of the client. */
export function faceOf({ client }: Step) {
  return { clientName: client.name, clientUri: client.clientUri, logoUri: client.logoUri };
}

/** Checks the credentials by the one way to sign in, and sends the person on or asks again. */
export async function signInByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
): Promise<void> {
  const { email = '', password = '' } = form;
  try {
    requireBoth(deps, email, password);
    const account = await deps.signIn({ email, password, clientId: step.client.id });
    const login = { accountId: account.id, amr: ['pwd'], generation: account.generation };
    await step.finish({ login });
  } catch (error) {
    const problem = problemOf(deps, step, error);
    await showSignIn(deps, step, { email, problem });
  }
}

function requireBoth({ renderer }: InteractionDeps, email: string, password: string): void {
  const missing = email === '' ? 'email' : password === '' ? 'password' : undefined;
  if (!missing) return;
  const message = renderer.text(`message.${missing}-missing`);
  throw new GatehouseError('validation_failed', message, { fields: [{ pointer: `/${missing}`, message }] });
}

/** What the person can mend is told on the form; anything else goes on to the error page. */
export function problemOf({ renderer }: InteractionDeps, { ctx }: Step, error: unknown): Problem {
  if (!(error instanceof GatehouseError)) throw error;
  if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
  const [field] = error.fields ?? [];
  if (field) {
    const name = field.pointer === '/password' ? 'password' : 'email';
    return { status: error.status, error: { field: name, message: field.message } };
  }
  const messages: Record<string, string> = {
    invalid_credentials: renderer.text('message.invalid-credentials'),
    account_disabled: renderer.text('message.account-disabled'),
    overloaded: renderer.text('problem.unavailable.message'),
    too_many_requests: renderer.text('message.too-many-attempts', { seconds: error.retryAfterSeconds ?? 60 }),
  };
  const message = messages[error.code];
  if (message === undefined) throw error;
  // A form's failure isn't a challenge (RFC 9110 §15.5.2 wants WWW-Authenticate with 401).
  return { status: error.status < 429 ? 400 : error.status, error: { message } };
}

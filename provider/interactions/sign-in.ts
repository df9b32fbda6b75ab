import { GatehouseError } from '../lib/errors.ts';
import { csrfToken } from './csrf.ts';
import type { PendingInteraction } from './interaction.ts';
import type { Renderer } from './render.ts';
import { sendPage } from './send-page.ts';
import type { InteractionDeps, RememberMe, Step } from './step.ts';
import type { FormError, SignInField } from './view-models.ts';

type Problem = { status: number; error: FormError<SignInField> };

/** The sign-in page; with what was typed (never the password) and what was wrong with it, after a failed try. */
export async function showSignIn(
  deps: InteractionDeps,
  step: Step,
  again?: { email: string; ticked: boolean; problem: Problem },
): Promise<void> {
  const { ctx, interaction, renderer } = step;
  const path = `${deps.basePath}/interaction/${interaction.uid}`;
  const known = interaction.accountId ? await deps.account(interaction.accountId) : undefined;
  const page = renderer.render('sign-in', {
    ...faceOf(step),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: `${path}/sign-in`,
    email: again?.email ?? interaction.loginHint ?? known?.email,
    error: again?.problem.error,
    remember: asksToRemember(deps.rememberMe, interaction) ? (again?.ticked ?? false) : undefined,
    signUpUrl: deps.register && `${path}/sign-up`,
  });
  const status = again?.problem.status ?? 200;
  sendPage(ctx, page, { status, redirectsTo: [interaction.redirectUri] });
}

/** What pages show of the client. */
export function faceOf({ client }: Step) {
  return { clientName: client.name, clientUri: client.clientUri, logoUri: client.logoUri };
}

/**
 * Checks the credentials by the one way to sign in, and sends the person on or asks again.
 * @param refusedKey what the page says when they are wrong
 */
export async function signInByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
  refusedKey = 'message.invalid-credentials',
): Promise<void> {
  const { email = '', password = '' } = form;
  const typed = { email, password };
  const ticked = form.remember === 'yes';
  try {
    requireBoth(typed);
    const browser = deps.browsers.read(step.ctx);
    const account = await deps.signIn({ email, password, clientId: step.client.id, browser });
    deps.browsers.know(step.ctx, email);
    // The time is told, since a consent that comes later would move it (Core §2 `auth_time`).
    const { id: accountId, tokenVersion } = account;
    const remember = isRemembered(deps.rememberMe, step.interaction, { accountId, ticked });
    const login = { accountId, amr: ['pwd'], tokenVersion, ts: deps.epochSeconds(), remember };
    await step.finish({ login });
  } catch (error) {
    const problem = problemOf(deps, step, error, typed, refusedKey);
    await showSignIn(deps, step, { email, ticked, problem });
  }
}

type Typed = Record<SignInField, string>;

function requireBoth({ email, password }: Typed): void {
  const missing = email === '' ? 'email' : password === '' ? 'password' : undefined;
  if (!missing) return;
  const message = `Give the ${missing}.`;
  throw new GatehouseError('validation_failed', message, { fields: [{ pointer: `/${missing}`, message }] });
}

/** What the person can mend is told on the form, in the page's words; anything else goes on to the error page. */
export function problemOf(
  deps: InteractionDeps,
  { ctx, renderer }: Step,
  error: unknown,
  typed: Typed,
  refusedKey = 'message.invalid-credentials',
): Problem {
  if (!(error instanceof GatehouseError)) throw error;
  const { code, status, retryAfterSeconds, fields } = error;
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
  const [wrong] = fields ?? [];
  if (wrong) {
    const field = wrong.pointer === '/password' ? 'password' : 'email';
    return {
      status,
      error: { field, message: fieldMessage(renderer, deps.passwordLength, field, typed[field]) },
    };
  }
  const { text } = renderer;
  const messages: Record<string, () => string> = {
    invalid_credentials: () => text(refusedKey),
    account_disabled: () => text('message.account-disabled'),
    overloaded: () => text('problem.unavailable.message'),
    too_many_requests: () => text('message.too-many-attempts', { seconds: retryAfterSeconds ?? 60 }),
  };
  const message = messages[code]?.();
  if (message === undefined) throw error;
  // A form's failure isn't a challenge (RFC 9110 §15.5.2 wants WWW-Authenticate with 401).
  return { status: status < 429 ? 400 : status, error: { message } };
}

/** Words for a field that was refused: that it was is decided elsewhere, and only what can be wrong with it is known here. */
function fieldMessage(
  renderer: Renderer,
  length: InteractionDeps['passwordLength'],
  field: SignInField,
  value: string,
): string {
  if (field === 'email')
    return renderer.text(value === '' ? 'message.email-missing' : 'message.email-invalid');
  return passwordMessage(renderer, length, value);
}

/** What is wrong with a new password that was refused. */
export function passwordMessage(
  { text }: Renderer,
  { shortest, longest }: InteractionDeps['passwordLength'],
  value: string,
): string {
  const length = [...value.normalize('NFC')].length;
  if (length === 0) return text('message.password-missing');
  if (length < shortest) return text('message.password-too-short', { count: shortest });
  if (length > longest) return text('message.password-too-long', { count: longest });
  if (/[\p{Cc}\p{Cs}\ufffd]/u.test(value)) return text('message.password-untypable');
  return text('message.password-guessable');
}

/** Whether the form shows the checkbox. Not for a person who signs in again: their session keeps its setting. */
function asksToRemember(mode: RememberMe, interaction: PendingInteraction): boolean {
  return mode === 'ask' && interaction.accountId === undefined;
}

/**
 * @returns whether the session outlives the browser window; undefined leaves it unchanged
 */
function isRemembered(
  mode: RememberMe,
  interaction: PendingInteraction,
  { accountId, ticked }: { accountId: string; ticked: boolean },
): boolean | undefined {
  if (mode !== 'ask') return mode === 'always';
  return interaction.accountId === accountId ? undefined : ticked;
}

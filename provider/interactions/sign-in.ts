import type { SignedIn } from '../accounts/sign-in.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Account } from '../ports/account-store.ts';
import { csrfToken } from './csrf.ts';
import { interactionPath, type PendingInteraction } from './interaction.ts';
import { asksForPasskey, passkeySignInForm } from './passkey-form.ts';
import type { Renderer } from './render.ts';
import { sendPage } from './send-page.ts';
import type { InteractionDeps, RememberMe, Step } from './step.ts';
import type { SignInField } from './view-models.ts';
import type { FormError } from './view-values.ts';

/** The prompt that lets a person choose between the account that is signed in and another (Core §3.1.2.1). */
const selectAccount = 'select_account';

type Problem = { status: number; error: FormError<SignInField> };

interface Again {
  email: string;
  ticked: boolean;
  /** Whether the form asks for a new password too. */
  asksNewPassword: boolean;
  /** Undefined when nothing was wrong. */
  problem?: Problem | undefined;
  /** What the person has done just now. */
  notice?: string | undefined;
}

/** Shows the sign-in page. When it asks again, it shows the typed values (never a password) and the problem. */
export async function showSignIn(deps: InteractionDeps, step: Step, again?: Again): Promise<void> {
  const { ctx, interaction, renderer } = step;
  const path = (name: string) => interactionPath(deps.basePath, interaction, name);
  const known = interaction.accountId ? await deps.account(interaction.accountId) : undefined;
  const isChoice = interaction.prompt === selectAccount;
  const page = renderer.render('sign-in', {
    ...faceOf(step),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: path('/sign-in'),
    cancelAction: path('/cancel'),
    continueAs: isChoice ? known?.email : undefined,
    email: again?.email ?? interaction.loginHint ?? (isChoice ? undefined : known?.email),
    error: again?.problem?.error,
    remember: asksToRemember(deps.rememberMe, interaction) ? (again?.ticked ?? false) : undefined,
    signUpUrl: deps.register && path('/sign-up'),
    recoverUrl: deps.offersRecovery ? recoverPath(deps, step) : undefined,
    notice: again?.notice,
    passkey: passkeySignInForm(deps, step),
    asksForPasskey: asksForPasskey(deps, step),
    newPassword: again?.asksNewPassword ? { minLength: deps.passwordLength.shortest } : undefined,
  });
  const status = again?.problem?.status ?? 200;
  sendPage(ctx, page, { status, redirectsTo: [interaction.redirectUri] });
}

/** The page for a forgotten password leads back to this sign-in and keeps its language. */
function recoverPath({ basePath }: InteractionDeps, { interaction }: Step): string {
  const { uid, clientId, uiLocales } = interaction;
  const query = new URLSearchParams({ uid, client_id: clientId });
  if (uiLocales !== undefined) query.set('ui_locales', uiLocales);
  return `${basePath}/recover?${query}`;
}

/** Returns the data of the client that pages show. */
export function faceOf({ client }: Step) {
  const { name: clientName, clientUri, logoUri, policyUri, tosUri: termsUri, publishedBy } = client;
  return { clientName, clientUri, logoUri, policyUri, termsUri, publishedBy };
}

/**
 * Checks the credentials with the one function for sign-in. Then it sends the person on, or asks again. If the stored hash
 * covers only a part of the password, the form asks for a new one. The person then enters both. A person who keeps the
 * account that is signed in sends no credentials.
 * @param options.refusedKey the key of the text that the page shows when the credentials are wrong
 * @param options.end what follows the sign-in
 */
export async function signInByForm(
  deps: InteractionDeps,
  step: Step,
  form: Record<string, string>,
  { refusedKey = 'message.invalid-credentials', end = finishAtOnce }: SignInFormOptions = {},
): Promise<void> {
  const { interaction } = step;
  if (form.continue === 'yes' && interaction.prompt === selectAccount && interaction.accountId !== undefined)
    return step.finish({ [selectAccount]: {} });
  const { email = '', password = '', newPassword } = form;
  const typed = { email, password, newPassword: newPassword ?? '' };
  const ticked = form.remember === 'yes';
  const again = { email, ticked, asksNewPassword: newPassword !== undefined };
  try {
    requireBoth(typed);
    const browser = deps.browsers.read(step.ctx);
    const signedIn = await deps.signIn({
      email,
      password,
      clientId: step.client.id,
      browser,
      needsSecondFactor: step.client.requireSecondFactor || interaction.needsSecondFactor,
      trusted: deps.trustedBrowser.read(step.ctx),
      boundTo: interaction.uid,
    });
    if (signedIn.needsNewPassword && newPassword === undefined)
      return await showSignIn(deps, step, { ...again, asksNewPassword: true });
    const account = signedIn.needsNewPassword ? await replacePassword(deps, step, signedIn, typed) : signedIn;
    await end(deps, step, { ...account, methods: signedIn.methods }, form);
  } catch (error) {
    const problem = problemOf(deps, step, error, typed, refusedKey);
    await showSignIn(deps, step, { ...again, problem });
  }
}

/**
 * Ends the interaction: the person has signed in.
 * @param how.ticked whether the person ticked the checkbox
 * @param how.at the time of the sign-in in seconds since the epoch; now if left out
 */
export async function finishSignIn(
  deps: InteractionDeps,
  step: Step,
  account: Pick<SignedIn, 'id' | 'email' | 'tokenVersion' | 'methods'>,
  how: { ticked: boolean; at?: number },
): Promise<void> {
  deps.browsers.know(step.ctx, account);
  // The time of the sign-in is set explicitly. Otherwise a later consent would change it (Core §2 `auth_time`).
  const { id: accountId, tokenVersion, methods } = account;
  const remember = isRemembered(deps.rememberMe, step.interaction, { accountId, ticked: how.ticked });
  const ts = how.at ?? deps.epochSeconds();
  const login = { accountId, ...methods, tokenVersion, ts, remember };
  await step.finish({ login, [selectAccount]: {} });
}

/** What follows a sign-in, with the form that finished it. */
export type EndSignIn = (
  deps: InteractionDeps,
  step: Step,
  account: SignedIn,
  form: Record<string, string>,
) => Promise<void>;

interface SignInFormOptions {
  refusedKey?: string;
  end?: EndSignIn;
}

const finishAtOnce: EndSignIn = (deps, step, account, form) =>
  finishSignIn(deps, step, account, { ticked: form.remember === 'yes' });

/** Empty when the form has no such field. */
type Typed = Record<SignInField, string>;

function replacePassword(
  deps: InteractionDeps,
  { renderer: { language } }: Step,
  { id, tokenVersion }: Account,
  typed: Typed,
): Promise<Account> {
  return deps.changePassword({
    accountId: id,
    tokenVersion,
    current: typed.password,
    next: typed.newPassword,
    language,
  });
}

function requireBoth({ email, password }: Omit<Typed, 'newPassword'>): void {
  const missing = email === '' ? 'email' : password === '' ? 'password' : undefined;
  if (!missing) return;
  const message = `Give the ${missing}.`;
  throw new GatehouseError('validation_failed', message, { fields: [{ pointer: `/${missing}`, message }] });
}

/**
 * Returns the problem that the form shows, if the person can correct it, in the page's language. Any other error goes
 * to the error page.
 */
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
    const field = fieldsByPointer[wrong.pointer] ?? 'email';
    return { status, error: { field, message: fieldMessage(renderer, deps.passwordLength, field, typed) } };
  }
  const { text } = renderer;
  const messages: Record<string, () => string> = {
    invalid_credentials: () => text(refusedKey),
    account_disabled: () => text('message.account-disabled'),
    invalid_second_factor: () => text('second-factor.wrong'),
    second_factor_expired: () => text('second-factor.expired'),
    second_factor_exists: () => text('second-factor.expired'),
    invalid_passkey: () => text('passkey.refused'),
    passkey_expired: () => text('passkey.expired'),
    overloaded: () => text('problem.unavailable.message'),
    too_many_requests: () => text('message.too-many-attempts', { seconds: retryAfterSeconds ?? 60 }),
  };
  const message = messages[code]?.();
  if (message === undefined) throw error;
  // An error in a form is not an authentication challenge (RFC 9110 §15.5.2 requires WWW-Authenticate with 401).
  return { status: status < 429 ? 400 : status, error: { message } };
}

const fieldsByPointer: Record<string, SignInField> = {
  '/password': 'password',
  '/newPassword': 'newPassword',
};

/**
 * Returns the message for a refused field. Other code decides that it is refused; this function only knows the possible
 * reasons.
 */
function fieldMessage(
  renderer: Renderer,
  length: InteractionDeps['passwordLength'],
  field: SignInField,
  typed: Typed,
): string {
  const { text } = renderer;
  if (field === 'email') return text(typed.email === '' ? 'message.email-missing' : 'message.email-invalid');
  const isSame = typed.newPassword.normalize('NFC') === typed.password.normalize('NFC');
  if (field === 'newPassword' && isSame) return text('account.password.same');
  if (field === 'newPassword' && typed.newPassword === '') return text('account.password.missing-new');
  return passwordMessage(renderer, length, typed[field]);
}

/** Returns the message for a refused new password. */
export function passwordMessage(
  { text }: Renderer,
  { shortest, longest }: InteractionDeps['passwordLength'],
  value: string,
): string {
  const length = [...value.normalize('NFC')].length;
  if (length === 0) return text('message.password-missing');
  if (/[\p{Cc}\p{Cs}\ufffd]/u.test(value)) return text('message.password-untypable');
  if (length < shortest) return text('message.password-too-short', { count: shortest });
  if (length > longest) return text('message.password-too-long', { count: longest });
  return text('message.password-guessable');
}

/**
 * Whether the form shows the checkbox. A person who signs in again does not see it, because their session keeps its
 * setting.
 */
function asksToRemember(mode: RememberMe, { accountId, prompt }: PendingInteraction): boolean {
  return mode === 'ask' && (accountId === undefined || prompt === selectAccount);
}

/** @returns whether the session continues after the browser window is closed; undefined leaves this unchanged */
function isRemembered(
  mode: RememberMe,
  interaction: PendingInteraction,
  { accountId, ticked }: { accountId: string; ticked: boolean },
): boolean | undefined {
  if (mode !== 'ask') return mode === 'always';
  return interaction.accountId === accountId ? undefined : ticked;
}

import Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import type { TokenProof } from '../accounts/one-time-tokens.ts';
import type { InterruptedSignIn, Recovery } from '../accounts/recovery.ts';
import { GatehouseError } from '../lib/errors.ts';
import { readForm } from '../lib/message-body.ts';
import { isFromElsewhere } from './csrf.ts';
import { interactionPath } from './interaction.ts';
import type { LanguageSource } from './pages.ts';
import type { Renderer } from './render.ts';
import { sendPage } from './send-page.ts';
import { passwordMessage } from './sign-in.ts';
import type { RecoverField } from './view-models.ts';
import type { FormError } from './view-values.ts';

export interface RecoveryPagesDeps {
  renderer(ctx: LanguageSource): Renderer;
  issuer: string;
  /** The issuer's path. Every link begins with it. */
  basePath: string;
  bodyLimitBytes: number;
  /** Undefined when mail is off. */
  recovery: Recovery | undefined;
  /** The bounds for the length of a new password, in code points. */
  passwordLength: { shortest: number; longest: number };
}

interface Problem {
  status: number;
  error: FormError<RecoverField>;
}

const field = z.string().default('');
const forms = {
  ask: z.object({ email: field, uid: field, client_id: field }),
  code: z.object({ flow: field, code: field, email: field, uid: field, client_id: field }),
  password: z.object({ token: field, flow: field, code: field, newPassword: field }),
};

type AskFields = z.infer<typeof forms.ask>;

/**
 * Creates the pages for a person who has forgotten the password: `/recover` and its forms.
 *
 * They work without a session and without cookies, so also in another browser than the one that asked. A link from a mail
 * only shows a form: programs that check mails open every link, and this must not spend it. The forms need no CSRF token,
 * because they act for the owner of a token or a code that they carry, and not for the person who is signed in.
 */
export function recoveryRoutes(deps: RecoveryPagesDeps): Router {
  const router = new Router({ prefix: '/recover' });
  const home = `${deps.issuer}/recover`;
  const goTo = (ctx: Context, url: string) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 303;
    ctx.redirect(`${url}${url.includes('?') ? '&' : '?'}${languageOf(ctx)}`.replace(/[?&]$/, ''));
  };
  const posted = <Fields>(ctx: Context, schema: z.ZodType<Fields>): Promise<Fields> => {
    if (isFromElsewhere(deps.issuer, ctx))
      throw new GatehouseError('form_expired', 'Another site sent this form. Nothing was changed.');
    return readForm(ctx.req, schema, deps.bodyLimitBytes);
  };

  router.get('/', (ctx) => {
    recoveryOf(deps);
    const { uid, client_id } = ctx.query;
    showAsk(deps, ctx, { email: '', uid: textOf(uid), client_id: textOf(client_id) });
  });
  router.post('/', async (ctx) => {
    const recovery = recoveryOf(deps);
    const fields = await posted(ctx, forms.ask);
    const { language } = deps.renderer(ctx);
    try {
      const { email } = fields;
      const { flow } = await recovery.request({ email, language, signIn: signInOf(fields) });
      showSent(deps, ctx, { ...fields, flow });
    } catch (error) {
      showAsk(deps, ctx, fields, problemOf(deps, ctx, error, { field: 'email', typed: fields.email }));
    }
  });
  router.post('/code', async (ctx) => {
    const recovery = recoveryOf(deps);
    const fields = await posted(ctx, forms.code);
    const { flow, code } = fields;
    try {
      const { email } = await recovery.find({ flow, code });
      showNewPassword(deps, ctx, { email, hidden: { flow, code } });
    } catch (error) {
      showSent(deps, ctx, fields, problemOf(deps, ctx, error, { field: 'code', typed: code }));
    }
  });
  router.get('/password', async (ctx) => {
    const recovery = recoveryOf(deps);
    const token = textOf(ctx.query.token);
    try {
      const { email } = await recovery.find({ token });
      showNewPassword(deps, ctx, { email, hidden: { token } });
    } catch (error) {
      showAskAgain(deps, ctx, error);
    }
  });
  router.post('/password', async (ctx) => {
    const recovery = recoveryOf(deps);
    const { newPassword, ...fields } = await posted(ctx, forms.password);
    const proof = proofOf(fields);
    const { language } = deps.renderer(ctx);
    try {
      const { signIn } = await recovery.setPassword({ proof, newPassword, language });
      // Only the browser that asked has the sign-in. That page sends every other browser to ours.
      goTo(ctx, signIn ? interactionPath(deps.issuer, signIn, '/recovered') : `${home}/done`);
    } catch (error) {
      if (!isAboutPassword(error)) return showAskAgain(deps, ctx, error);
      const { email } = await recovery.find(proof).catch(() => ({ email: '' }));
      const problem = problemOf(deps, ctx, error, { field: 'newPassword', typed: newPassword });
      showNewPassword(deps, ctx, { email, hidden: { ...proof } }, problem);
    }
  });
  router.get('/done', (ctx) => {
    sendPage(ctx, deps.renderer(ctx).render('recover-done', { accountUrl: `${deps.basePath}/account` }));
  });
  // The response to a form is shown under the form's address. A browser that restores a tab requests this address by GET.
  router.get('/code', (ctx) => goTo(ctx, home));
  return router;
}

function recoveryOf({ recovery }: RecoveryPagesDeps): Recovery {
  if (recovery) return recovery;
  throw new GatehouseError(
    'recovery_disabled',
    "This server sends no mails, so a password can't be recovered here. Ask an administrator for a new one.",
  );
}

/** The parameter that keeps the language of the app's request, as it was sent. */
const languageOf = ({ query }: Pick<Context, 'query'>) =>
  typeof query.ui_locales === 'string' ? String(new URLSearchParams({ ui_locales: query.ui_locales })) : '';

function pathOf({ basePath }: RecoveryPagesDeps, ctx: Context, step = ''): string {
  const language = languageOf(ctx);
  return `${basePath}/recover${step}${language === '' ? '' : `?${language}`}`;
}

function showAsk(deps: RecoveryPagesDeps, ctx: Context, fields: AskFields, problem?: Problem): void {
  const signIn = signInOf(fields);
  const page = deps.renderer(ctx).render('recover', {
    action: pathOf(deps, ctx),
    hidden: signIn ? { uid: signIn.uid, client_id: signIn.clientId } : {},
    email: fields.email,
    error: problem?.error,
    signInUrl: signIn && interactionPath(deps.basePath, signIn),
  });
  sendPage(ctx, page, { status: problem?.status ?? 200 });
}

/** The link or the code is of no use any more: the page says so and asks for the address again. */
function showAskAgain(deps: RecoveryPagesDeps, ctx: Context, error: unknown): void {
  const problem = problemOf(deps, ctx, error, { typed: '' });
  showAsk(deps, ctx, { email: '', uid: '', client_id: '' }, problem);
}

function showSent(
  deps: RecoveryPagesDeps,
  ctx: Context,
  { email, flow, uid, client_id }: Omit<z.infer<typeof forms.code>, 'code'>,
  problem?: Problem,
): void {
  const again = new URLSearchParams({ uid, client_id });
  const language = languageOf(ctx);
  const page = deps.renderer(ctx).render('recover-sent', {
    action: pathOf(deps, ctx, '/code'),
    hidden: { flow, email, uid, client_id },
    email,
    error: problem?.error,
    againUrl: `${deps.basePath}/recover?${again}${language && `&${language}`}`,
  });
  sendPage(ctx, page, { status: problem?.status ?? 200 });
}

function showNewPassword(
  deps: RecoveryPagesDeps,
  ctx: Context,
  { email, hidden }: { email: string; hidden: Record<string, string> },
  problem?: Problem,
): void {
  const page = deps.renderer(ctx).render('recover-password', {
    action: pathOf(deps, ctx, '/password'),
    hidden,
    email,
    passwordMinLength: deps.passwordLength.shortest,
    error: problem?.error,
  });
  sendPage(ctx, page, { status: problem?.status ?? 200, hidesAddress: true });
}

const proofOf = ({ token, flow, code }: { token: string; flow: string; code: string }): TokenProof =>
  token === '' ? { flow, code } : { token };

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

/** Anyone can write these values: they only lead to a page that checks the browser's cookie. */
function signInOf({ uid, client_id: clientId }: Omit<AskFields, 'email'>): InterruptedSignIn | undefined {
  return /^[\w-]{1,64}$/.test(uid) && clientId.length <= 512 ? { uid, clientId } : undefined;
}

const isAboutPassword = (error: unknown) =>
  error instanceof GatehouseError && (error.code === 'validation_failed' || error.code === 'overloaded');

/** Returns the problem that the page shows, in its language. Any other error goes to the error page. */
function problemOf(
  deps: RecoveryPagesDeps,
  ctx: Context,
  error: unknown,
  { field: name, typed }: { field?: RecoverField; typed: string },
): Problem {
  if (!(error instanceof GatehouseError)) throw error;
  const { code, status, retryAfterSeconds } = error;
  if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
  const renderer = deps.renderer(ctx);
  const { text } = renderer;
  const fieldMessages: Record<RecoverField, () => string> = {
    email: () => text(typed === '' ? 'message.email-missing' : 'message.email-invalid'),
    code: () => text('recover.code.wrong'),
    newPassword: () =>
      typed === ''
        ? text('account.password.missing-new')
        : passwordMessage(renderer, deps.passwordLength, typed),
  };
  if (code === 'validation_failed' && name)
    return { status, error: { field: name, message: fieldMessages[name]() } };
  const messages: Record<string, () => FormError<RecoverField>> = {
    invalid_one_time_token: () =>
      name === 'code'
        ? { field: name, message: fieldMessages.code() }
        : { message: text('recover.link.wrong') },
    overloaded: () => ({ message: text('problem.unavailable.message') }),
    too_many_requests: () => ({
      message: text('message.too-many-attempts', { seconds: retryAfterSeconds ?? 60 }),
    }),
  };
  const problem = messages[code]?.();
  if (problem === undefined) throw error;
  return { status, error: problem };
}

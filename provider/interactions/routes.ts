import Router, { type RouterContext } from '@koa/router';
import type { InteractionResults } from 'oidc-provider';
import { z } from 'zod';
import { GatehouseError } from '../lib/errors.ts';
import { readForm } from '../lib/message-body.ts';
import { confirmByForm, showConfirmAddress } from './confirm-address.ts';
import { type ConsentPageDeps, decideConsent, showConsent } from './consent.ts';
import { checkCsrf, isFromElsewhere } from './csrf.ts';
import { findInteraction } from './interaction.ts';
import { finishOrOffer, passkeyByForm } from './passkey.ts';
import { continueWithSecondFactor, secondFactorByForm, showStepUp } from './second-factor.ts';
import { showSignIn, signInByForm } from './sign-in.ts';
import { showSignUp, signUpByForm } from './sign-up.ts';
import type { InteractionDeps, Step } from './step.ts';

/**
 * Any text is allowed here. The code that reads a field checks its length and shows the error beside it. The size of
 * the whole form is limited elsewhere.
 */
const formSchema = z.record(z.string(), z.string());

const isConsent = (prompt: string) => prompt === 'consent';

/** The prompts `login` and `select_account`: both show the sign-in page. */
const isSignIn = (prompt: string) => !isConsent(prompt);

/**
 * Creates the routes of the pages of an authorization request: `/interaction/{uid}` and its forms.
 *
 * This folder shows HTML pages and reads their forms. It contains no account rules and no storage: those are injected.
 */
export function interactionRoutes(deps: InteractionDeps): Router {
  const router = new Router({ prefix: '/interaction/:uid' });

  const stepOf = async (ctx: RouterContext): Promise<Step> => {
    const provider = deps.provider();
    const uid = String(ctx.params.uid);
    const interaction = await findInteraction(provider, ctx.req, ctx.res, uid);
    ctx.state.uiLocales = interaction.uiLocales;
    const client = await deps.client(interaction.clientId);
    if (!client)
      throw new GatehouseError('client_not_allowed', 'The app that asked is no longer registered.');
    if (!client.enabled)
      throw new GatehouseError(
        'client_disabled',
        'The app that asked is disabled. Its document says enabled: false.',
      );
    const finish = async (result: InteractionResults) => {
      const returnTo = await provider.interactionResult(ctx.req, ctx.res, result);
      const accountId = result.login?.accountId;
      if (accountId !== undefined) deps.proveSignIn(ctx, { uid, accountId }, returnTo);
      const next = new URL(returnTo);
      // As in our own addresses: see `interactionPath`.
      next.searchParams.set('client_id', client.id);
      ctx.status = 303;
      ctx.redirect(next.href);
    };
    return { ctx, interaction, client, renderer: deps.renderer(ctx), finish };
  };

  const posted = async (ctx: RouterContext, isForm: (prompt: string) => boolean) => {
    const step = await stepOf(ctx);
    if (!isForm(step.interaction.prompt))
      throw new GatehouseError(
        'interaction_expired',
        'This step is done already. Go back to the app and try again.',
      );
    const form = await readForm(ctx.req, formSchema, deps.bodyLimitBytes);
    if (isFromElsewhere(deps.issuer, ctx) || !checkCsrf(deps.keys, step.interaction.uid, form.csrf))
      throw new GatehouseError(
        'interaction_expired',
        'This form is not of this sign-in. Go back and try again.',
      );
    return { step, form };
  };

  const show = async (step: Step) => {
    if (isConsent(step.interaction.prompt)) await showConsent(consentDeps(deps), step);
    else if (!(await showStepUp(deps, step))) await showSignIn(deps, step);
  };

  // The response to a form is shown under the form's address. A browser that restores a tab requests this address by
  // GET.
  router.get(
    ['/', '/sign-in', '/confirm', '/second-factor', '/passkey', '/consent', '/cancel'],
    async (ctx) => show(await stepOf(ctx)),
  );
  // A recovered password leads here. Another browser than the one of this sign-in gets the page that says what to do.
  router.get('/recovered', async (ctx) => {
    try {
      const step = await stepOf(ctx);
      if (!isSignIn(step.interaction.prompt)) return await show(step);
      const notice = step.renderer.text('recover.notice');
      await showSignIn(deps, step, { email: '', ticked: false, asksNewPassword: false, notice });
    } catch (error) {
      if (!(error instanceof GatehouseError && error.code === 'interaction_expired')) throw error;
      const { ui_locales } = ctx.query;
      const language = typeof ui_locales === 'string' ? `?${new URLSearchParams({ ui_locales })}` : '';
      ctx.status = 303;
      ctx.redirect(`${deps.issuer}/recover/done${language}`);
    }
  });
  router.post('/sign-in', async (ctx) => {
    const { step, form } = await posted(ctx, isSignIn);
    await signInByForm(deps, step, form, { end: finishOrOffer }).catch((error) =>
      continueSignIn(deps, step, error, form),
    );
  });
  router.get('/sign-up', async (ctx) => {
    const step = await stepOf(ctx);
    if (isSignIn(step.interaction.prompt)) showSignUp(deps, step);
    else await show(step);
  });
  router.post('/sign-up', async (ctx) => {
    const { step, form } = await posted(ctx, isSignIn);
    await signUpByForm(deps, step, form).catch((error) => continueSignIn(deps, step, error, form));
  });
  router.post('/confirm', async (ctx) => {
    const { step, form } = await posted(ctx, isSignIn);
    await confirmByForm(deps, step, form).catch((error) => continueSignIn(deps, step, error, form));
  });
  router.post('/second-factor', async (ctx) => {
    const { step, form } = await posted(ctx, isSignIn);
    await secondFactorByForm(deps, step, form, finishOrOffer);
  });
  router.post('/passkey', async (ctx) => {
    const { step, form } = await posted(ctx, isSignIn);
    await passkeyByForm(deps, step, form);
  });
  // RFC 6749 §4.1.2.1: the app gets `access_denied` at every step.
  router.post('/cancel', async (ctx) => {
    const { step } = await posted(ctx, () => true);
    await step.finish({ error: 'access_denied', error_description: 'the person did not sign in' });
  });
  router.post('/consent', async (ctx) => {
    const { step, form } = await posted(ctx, isConsent);
    await decideConsent(consentDeps(deps), step, form);
  });
  return router;
}

/** Continues a sign-in that needs a proof of the address or a second factor. Throws every other error again. */
async function continueSignIn(
  deps: InteractionDeps,
  step: Step,
  error: unknown,
  form: Record<string, string>,
): Promise<void> {
  const confirmation = error instanceof GatehouseError ? error.members?.confirmation : undefined;
  if (typeof confirmation !== 'string') return continueWithSecondFactor(deps, step, error, form);
  showConfirmAddress(deps, step, { confirmation, remember: form.remember === 'yes', state: 'required' });
}

const consentDeps = (deps: InteractionDeps): ConsentPageDeps => ({
  ...deps,
  knowledge: { ...deps.consent, apis: deps.apis },
});

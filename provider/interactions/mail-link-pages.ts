import Router, { type RouterContext } from '@koa/router';
import { z } from 'zod';
import type { Invitations } from '../accounts/invitations.ts';
import { GatehouseError } from '../lib/errors.ts';
import { readForm } from '../lib/message-body.ts';
import { signUpHere } from './confirm-address.ts';
import { csrfToken, isFromElsewhere } from './csrf.ts';
import { interactionPath } from './interaction.ts';
import { type LinkedClient, startUrl } from './protocol-pages.ts';
import type { Renderer } from './render.ts';
import { sendPage } from './send-page.ts';
import { passwordMessage } from './sign-in.ts';
import type { InteractionDeps } from './step.ts';
import type { MailLinkView } from './view-models.ts';

export type MailLinkDeps = Pick<
  InteractionDeps,
  | 'provider'
  | 'renderer'
  | 'keys'
  | 'issuer'
  | 'basePath'
  | 'bodyLimitBytes'
  | 'passwordLength'
  | 'confirmAddress'
> & {
  invitations: Pick<Invitations, 'find' | 'accept'>;
  /** A client of the configuration. It never fetches the document of one. */
  knownClient(id: string): LinkedClient | undefined;
};

const field = z.string().default('');
const linkForm = z.object({ token: field, password: field, client_id: field });

/** The password that was typed, after it was refused. */
type Refused = { password: string } | undefined;

const textOf = (value: unknown) => (typeof value === 'string' ? value : '');

/**
 * The pages of the links in mails about new accounts. GET spends nothing, because mail scanners open every link: only the
 * button does. Recovery has pages of its own.
 */
export function mailLinkRoutes(deps: MailLinkDeps): Router {
  const router = new Router();

  const readPosted = (ctx: RouterContext) => {
    if (isFromElsewhere(deps.issuer, ctx))
      throw new GatehouseError('form_expired', 'This form is of another site. Nothing was changed.');
    return readForm(ctx.req, linkForm, deps.bodyLimitBytes);
  };
  const errorOf = (renderer: Renderer, refused: Refused): MailLinkView['error'] =>
    refused && {
      field: 'password',
      message: passwordMessage(renderer, deps.passwordLength, refused.password),
    };
  const showDone = (
    ctx: RouterContext,
    { title, message, client }: { title: string; message: string; client?: LinkedClient | undefined },
  ) => {
    const start = startUrl(client, deps.issuer);
    const continueUrl = start ?? `${deps.basePath}/account`;
    const clientName = start && client?.name;
    sendPage(ctx, deps.renderer(ctx).render('link-done', { title, message, continueUrl, clientName }));
  };
  /** Shows the form again if the password broke a rule. */
  const again = async (work: () => Promise<unknown>, show: (status: number) => Promise<void>) => {
    try {
      await work();
      return false;
    } catch (error) {
      if (!(error instanceof GatehouseError) || error.code !== 'validation_failed') throw error;
      await show(error.status);
      return true;
    }
  };

  /** In the browser that signed up, the button continues the sign-up; elsewhere the person types the password too. */
  const showConfirm = async (ctx: RouterContext, token: string, refused?: Refused, status = 200) => {
    const { email } = await deps.confirmAddress.findLink(token);
    const here = signUpHere(deps, ctx, email);
    const interaction = here && (await deps.provider().Interaction.find(here.uid));
    const going = interaction ? here : undefined;
    const renderer = deps.renderer(ctx);
    const { text } = renderer;
    const minLength = deps.passwordLength.shortest;
    const page = renderer.render('mail-link', {
      title: text('confirm-address.title'),
      message: text('confirm-link.message', { email }),
      action: going ? interactionPath(deps.basePath, going, '/confirm') : `${deps.basePath}/sign-up/confirm`,
      csrf: going && csrfToken(deps.keys, going.uid),
      hidden: { token, ...(going && { confirmation: going.confirmation }) },
      password: here
        ? undefined
        : { email, minLength, hint: text('confirm-link.password', { count: minLength }) },
      submit: text('confirm-address.submit'),
      aside: text('confirm-link.not-you'),
      error: errorOf(renderer, refused),
    });
    const redirectUri = interaction?.params.redirect_uri;
    const redirectsTo = typeof redirectUri === 'string' ? [redirectUri] : [];
    sendPage(ctx, page, { status, redirectsTo, hidesAddress: true });
  };
  router.get('/sign-up/confirm', (ctx) => showConfirm(ctx, textOf(ctx.query.token)));
  router.post('/sign-up/confirm', async (ctx) => {
    const { token, password } = await readPosted(ctx);
    const { email } = await deps.confirmAddress.findLink(token);
    const here = signUpHere(deps, ctx, email);
    const isRefused = await again(
      () => deps.confirmAddress.byLink(here ? { ...here, boundTo: here.uid, token } : { token, password }),
      (status) => showConfirm(ctx, token, { password }, status),
    );
    if (isRefused) return;
    const { text } = deps.renderer(ctx);
    const title = text('confirm-address.done.title');
    const client = here && deps.knownClient(here.clientId);
    showDone(ctx, { title, message: text('confirm-address.done.message', { email }), client });
  });

  const showInvitation = async (
    ctx: RouterContext,
    { token, clientId }: { token: string; clientId: string },
    refused?: Refused,
    status = 200,
  ) => {
    const { email } = await deps.invitations.find(token);
    const renderer = deps.renderer(ctx);
    const { text } = renderer;
    const minLength = deps.passwordLength.shortest;
    const page = renderer.render('mail-link', {
      title: text('invitation.title'),
      message: text('invitation.message', { email }),
      action: `${deps.basePath}/invitation`,
      hidden: { token, ...(clientId === '' ? {} : { client_id: clientId }) },
      password: { email, minLength, hint: text('field.new-password.hint', { count: minLength }) },
      submit: text('recover.password.submit'),
      error: errorOf(renderer, refused),
    });
    sendPage(ctx, page, { status, hidesAddress: true });
  };
  router.get('/invitation', (ctx) => {
    const { token, client_id: clientId } = ctx.query;
    return showInvitation(ctx, { token: textOf(token), clientId: textOf(clientId) });
  });
  router.post('/invitation', async (ctx) => {
    const { token, password, client_id: clientId } = await readPosted(ctx);
    const { email } = await deps.invitations.find(token);
    const renderer = deps.renderer(ctx);
    const isRefused = await again(
      () => deps.invitations.accept({ token, password, language: renderer.language }),
      (status) => showInvitation(ctx, { token, clientId }, { password }, status),
    );
    if (isRefused) return;
    const message = renderer.text('invitation.done.message', { email });
    const title = renderer.text('invitation.done.title');
    showDone(ctx, { title, message, client: deps.knownClient(clientId) });
  });
  return router;
}

import { parseUrl } from '../lib/parse-url.ts';
import { csrfToken } from './csrf.ts';
import { interactionPath } from './interaction.ts';
import {
  type ConsentKnowledge,
  describeConsent,
  type RequestedConsent,
  requestedConsent,
} from './requested-consent.ts';
import { sendPage } from './send-page.ts';
import { faceOf } from './sign-in.ts';
import type { InteractionDeps, Step } from './step.ts';

export interface ConsentPageDeps
  extends Pick<InteractionDeps, 'keys' | 'account' | 'basePath' | 'addConsent'> {
  knowledge: ConsentKnowledge;
}

/**
 * First-party clients skip consent (DESIGN §4). The exception is an app on a device whose redirect URI uses a scheme or
 * a port that another program on the device could register. Only the person can confirm that this app sent the request
 * (RFC 8252 §8.6). In the device flow, the person has already confirmed this by entering the code of the device.
 */
const skipsConsent = ({ client, interaction }: Step) =>
  client.firstParty &&
  (interaction.forDevice || client.applicationType === 'web' || interaction.redirectUri.startsWith('https:'));

/** Asks the person, unless the client skips it. */
export async function showConsent(deps: ConsentPageDeps, step: Step): Promise<void> {
  const { ctx, interaction, client, renderer } = step;
  if (skipsConsent(step)) return step.finish({ consent: {} });
  const account = await deps.account(interaction.accountId ?? '');
  const asked = requestedConsent(deps.knowledge, interaction, {
    listed: client.scopes,
    roles: account?.roles ?? [],
  });
  const page = renderer.render('consent', {
    ...faceOf(step),
    ...describeConsent(deps.knowledge.apis, asked),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: `${interactionPath(deps.basePath, interaction, '/consent')}&${shownParameter(asked)}`,
    accountEmail: account?.email ?? '',
    redirectHost: parseUrl(interaction.redirectUri)?.host,
    isRegistered: client.isRegistered,
  });
  sendPage(ctx, page, { redirectsTo: [interaction.redirectUri] });
}

/** The scopes that the page shows, as a parameter of its form's address. */
const shownParameter = ({ oidcScopes, resourceScopes }: RequestedConsent) =>
  new URLSearchParams({ shown: [...oidcScopes, ...Object.values(resourceScopes).flat()].join(' ') });

/**
 * Stores the consent for this account and client, or tells the client that the person denied it (RFC 6749 §4.1.2.1).
 */
export async function decideConsent(
  deps: ConsentPageDeps,
  step: Step,
  form: Record<string, string>,
): Promise<void> {
  const { ctx, interaction, client } = step;
  if (form.decision !== 'allow') {
    return step.finish({ error: 'access_denied', error_description: 'the person did not agree' });
  }
  // The document of a first-party client lists its access. So there is no consent to store or to withdraw.
  if (client.firstParty) return step.finish({ consent: {} });
  const account = await deps.account(interaction.accountId ?? '');
  // A role that was given meanwhile adds a scope that the page did not show.
  const shown = String(ctx.query.shown ?? '').split(' ');
  const asked = requestedConsent(deps.knowledge, interaction, {
    listed: client.scopes.filter((scope) => shown.includes(scope)),
    roles: account?.roles ?? [],
  });
  await deps.addConsent({ accountId: interaction.accountId ?? '', clientId: client.id, ...asked });
  await step.finish({ consent: {} });
}

import type { Consent } from '../ports/consent-store.ts';
import { csrfToken } from './csrf.ts';
import { type ConsentKnowledge, describeConsent, requestedConsent } from './requested-consent.ts';
import { sendPage } from './send-page.ts';
import { faceOf } from './sign-in.ts';
import type { InteractionDeps, Step } from './step.ts';

export interface ConsentPageDeps extends Pick<InteractionDeps, 'renderer' | 'keys' | 'account' | 'basePath'> {
  addConsent(consent: Consent): Promise<void>;
  knowledge: ConsentKnowledge;
}

/** Asks the person; first-party clients skip it (DESIGN §4). */
export async function showConsent(deps: ConsentPageDeps, step: Step): Promise<void> {
  const { ctx, interaction, client } = step;
  if (client.firstParty) return step.finish({ consent: {} });
  const account = await deps.account(interaction.accountId ?? '');
  const asked = requestedConsent(deps.knowledge, interaction, client.scopes);
  const html = deps.renderer.render('consent', {
    ...faceOf(step),
    ...describeConsent(deps.knowledge.apis, asked),
    csrf: csrfToken(deps.keys, interaction.uid),
    action: `${deps.basePath}/interaction/${interaction.uid}/consent`,
    accountEmail: account?.email ?? '',
    redirectHost: URL.canParse(interaction.redirectUri) ? new URL(interaction.redirectUri).host : undefined,
    policyUri: client.policyUri,
    termsUri: client.tosUri,
  });
  sendPage(ctx, html, { redirectsTo: [interaction.redirectUri] });
}

/** Remembers what was agreed to, for this account and client, or tells the client that it wasn't (RFC 6749 §4.1.2.1). */
export async function decideConsent(
  deps: ConsentPageDeps,
  step: Step,
  form: Record<string, string>,
): Promise<void> {
  const { interaction, client } = step;
  if (form.decision !== 'allow') {
    return step.finish({ error: 'access_denied', error_description: 'the person did not agree' });
  }
  const asked = requestedConsent(deps.knowledge, interaction, client.scopes);
  await deps.addConsent({ accountId: interaction.accountId ?? '', clientId: client.id, ...asked });
  await step.finish({ consent: {} });
}

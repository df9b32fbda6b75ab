import type { z } from 'zod';
import { GatehouseError } from '../lib/errors.ts';
import { csrfToken } from './csrf.ts';
import { interactionPath } from './interaction.ts';
import type { InteractionDeps, Step } from './step.ts';
import type { PasskeyFormView } from './view-values.ts';

/*
 * The forms that the script sends (views/assets/gatehouse.js): their options and their answers.
 */

/** A browser that was asked for a passkey is asked again after this time. */
const laterSeconds = 90 * 86_400;

/**
 * Reads the answer of the script.
 * @throws GatehouseError `invalid_passkey` for a text that no browser makes
 */
export function readAnswer<T>(schema: z.ZodType<T>, text = ''): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new GatehouseError('invalid_passkey', 'The answer of the passkey can’t be read.', { cause });
  }
}

/** A form of the script, with its options. */
export const passkeyForm = (
  deps: Pick<InteractionDeps, 'keys' | 'basePath'>,
  { interaction }: Step,
  path: string,
  { options, hidden }: { options: object; hidden: Record<string, string> },
): PasskeyFormView => ({
  action: interactionPath(deps.basePath, interaction, path),
  csrf: csrfToken(deps.keys, interaction.uid),
  hidden,
  options: JSON.stringify(options),
});

/** The form for a sign-in without a password. Undefined when passkeys are off. */
export function passkeySignInForm(deps: InteractionDeps, step: Step): PasskeyFormView | undefined {
  const place = { clientId: step.client.id, boundTo: step.interaction.uid };
  const asked = deps.passkeySignIn?.ask(place);
  return asked && passkeyForm(deps, step, '/passkey', { ...asked, hidden: { sealed: asked.sealed } });
}

/** Whether this browser may be asked for a passkey. */
export const asksForPasskey = (deps: InteractionDeps, { ctx }: Step): boolean =>
  deps.passkeys !== undefined && ctx.cookies.get(cookieName(deps)) === undefined;

const cookieName = ({ issuer }: Pick<InteractionDeps, 'issuer'>) =>
  issuer.startsWith('https:') ? '__Secure-gatehouse_passkey_asked' : 'gatehouse_passkey_asked';

/** Does not ask this browser again for a while. The cookie says only that it was asked. */
export function rememberAnswer(deps: InteractionDeps, { ctx }: Step): void {
  const secure = deps.issuer.startsWith('https:') ? '; Secure' : '';
  ctx.append(
    'Set-Cookie',
    `${cookieName(deps)}=yes; Path=${deps.basePath}/interaction; Max-Age=${laterSeconds}; HttpOnly; SameSite=Lax${secure}`,
  );
}

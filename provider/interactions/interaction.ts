import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InteractionResults, Provider } from 'oidc-provider';
import { GatehouseError } from '../lib/errors.ts';
import {
  levelMissing,
  multiFactorSignIn,
  type SignInMethods,
  secondFactorMissing,
} from '../lib/password-sign-in.ts';

/** What the session of a browser proves already. */
export interface ProvedBefore {
  /** The time of the sign-in (`auth_time`), in seconds since the epoch. */
  signedInAt: number;
  /** How the person signed in (RFC 8176). */
  amr: string[];
}

/** An authorization request that waits for a person. */
export interface PendingInteraction {
  uid: string;
  /** The name of the prompt that the person must answer. */
  prompt: string;
  clientId: string;
  /** Empty in the device flow. */
  redirectUri: string;
  /** Whether this is the device flow. There the person has already been asked about the device (RFC 8628 §3.3). */
  forDevice: boolean;
  scopes: string[];
  /** The requested audiences (RFC 8707). */
  audiences: string[];
  /** Claims that were requested by name and that the person has not agreed to yet (OpenID Connect Core §5.5). */
  missingClaims: string[];
  loginHint?: string | undefined;
  /** The languages that the person prefers, according to the client (OpenID Connect Core §3.1.2.1). */
  uiLocales?: string | undefined;
  /** The account that is already signed in. */
  accountId?: string | undefined;
  /**
   * Whether the app asks for a level that a password alone does not reach. The sign-in must then end with the second
   * factor, or the app gets a lower level or an error: the person is not asked again.
   */
  needsSecondFactor: boolean;
  /** Set if only the second factor is missing: the session is good and fresh enough, but its level is too low. */
  stepUp?: ProvedBefore | undefined;
}

/**
 * The path of a page or form of an interaction. It names the client, so that the page for an expired interaction can name
 * the app and link to it.
 * @param step `/sign-in` for example; the page that is next when left out
 */
export function interactionPath(
  basePath: string,
  { uid, clientId }: Pick<PendingInteraction, 'uid' | 'clientId'>,
  step = '',
): string {
  return `${basePath}/interaction/${uid}${step}?${new URLSearchParams({ client_id: clientId })}`;
}

/**
 * @returns the interaction that both the browser's cookie and the address name
 * @throws `interaction_expired` when there is none: it is finished, too old, or belongs to another browser
 */
export async function findInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  uid: string,
): Promise<PendingInteraction> {
  const details = await provider.interactionDetails(request, response).catch((cause: unknown) => {
    if ((cause as { error?: string }).error === 'invalid_request') throw expired(cause);
    throw cause;
  });
  if (details.uid !== uid) throw expired(undefined);
  const { params, prompt, session, deviceCode } = details;
  const text = (name: string) => (typeof params[name] === 'string' ? params[name] : undefined);
  return {
    uid,
    prompt: prompt.name,
    clientId: text('client_id') ?? '',
    redirectUri: text('redirect_uri') ?? '',
    forDevice: deviceCode !== undefined,
    scopes: text('scope')?.split(' ') ?? [],
    audiences: [params.resource ?? []].flat() as string[],
    missingClaims: (prompt.details.missingOIDCClaims as string[] | undefined) ?? [],
    loginHint: text('login_hint'),
    uiLocales: text('ui_locales'),
    accountId: session?.accountId,
    needsSecondFactor: prompt.details.needsSecondFactor === true,
    stepUp: stepUpOf(prompt),
  };
}

/** If these are the only reasons, the session has everything except the second factor. */
function stepUpOf({ name, reasons, details }: { name: string; reasons: string[]; details: object }) {
  const { signedInAt, amr = [] } = (details as { provedBefore?: Partial<ProvedBefore> }).provedBefore ?? {};
  const isStepUp = name === 'login' && reasons.every((reason) => onlySecondFactor.includes(reason));
  return isStepUp && signedInAt !== undefined ? { signedInAt, amr } : undefined;
}

const onlySecondFactor = [levelMissing, secondFactorMissing];

/**
 * The result of an interaction in which the person only added a second factor. The session keeps its time and its token
 * version, because the password was not typed again: so the step cannot revive a session that was ended meanwhile.
 * @param added what the person has proved in this step
 */
export function stepUpResult(
  { accountId, stepUp }: Pick<PendingInteraction, 'accountId' | 'stepUp'>,
  added: SignInMethods,
): InteractionResults {
  if (accountId === undefined || stepUp === undefined) throw new Error('this interaction is no step-up');
  const methods = multiFactorSignIn([...stepUp.amr, ...added.amr]);
  return { login: { accountId, ...methods, ts: stepUp.signedInAt } };
}

const expired = (cause: unknown) =>
  new GatehouseError(
    'interaction_expired',
    'This sign-in has expired or was finished. Go back to the app and start again.',
    { cause },
  );

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { GatehouseError } from '../lib/errors.ts';

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
  };
}

const expired = (cause: unknown) =>
  new GatehouseError(
    'interaction_expired',
    'This sign-in has expired or was finished. Go back to the app and start again.',
    { cause },
  );

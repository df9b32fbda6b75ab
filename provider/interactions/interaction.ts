import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { GatehouseError } from '../lib/errors.ts';

/** An authorization request that waits for a person. */
export interface PendingInteraction {
  uid: string;
  /** What the person is asked for. */
  prompt: string;
  clientId: string;
  /** Empty where a device is let in. */
  redirectUri: string;
  /** Whether a device is let in, which the person was asked about already (RFC 8628 §3.3). */
  forDevice: boolean;
  scopes: string[];
  /** The audiences asked for (RFC 8707). */
  audiences: string[];
  /** Claims asked for by name that weren't agreed to yet (OpenID Connect Core §5.5). */
  missingClaims: string[];
  loginHint?: string | undefined;
  /** The languages the person prefers, as the client knows (OpenID Connect Core §3.1.2.1). */
  uiLocales?: string | undefined;
  /** The account that is signed in already. */
  accountId?: string | undefined;
}

/**
 * @returns the interaction that the browser's cookie and the address agree on
 * @throws `interaction_expired` when there is none: finished, too old, or another browser's
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

import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from '../lib/logger.ts';
import { clientOf } from './current-request.ts';

interface Foreign {
  /** The value with which the parameter changes something. Any value, if left out. */
  value?: string;
  /** What the app can do in its place. */
  instead: string;
}

const oneSignIn = 'there is one way to sign in: remove it, and check the claims of the id token';

/**
 * Parameters of other providers and of extensions that Gatehouse does not have. OAuth ignores unknown parameters
 * (RFC 6749 §3.1), so an app that depends on one gets something else than it expects, without an error.
 */
const foreign: Readonly<Record<string, Foreign>> = {
  access_type: { value: 'offline', instead: 'ask for the scope offline_access' },
  authorization_details: { instead: 'ask for scopes: RFC 9396 is not supported' },
  connection: { instead: oneSignIn },
  domain_hint: { instead: oneSignIn },
  hd: { instead: oneSignIn },
  identity_provider: { instead: oneSignIn },
  idp: { instead: oneSignIn },
  kc_action: { instead: 'link to the account page' },
  kc_idp_hint: { instead: oneSignIn },
  organization: { instead: 'there are no organizations: remove it' },
  screen_hint: { value: 'signup', instead: 'send prompt=create' },
};

/** What was logged: client and parameter. The oldest entry leaves when it is full. */
const logged = new Set<string>();
const mostLogged = 1000;

function isNew(entry: string): boolean {
  if (logged.has(entry)) return false;
  const [oldest = entry] = logged;
  if (logged.size >= mostLogged) logged.delete(oldest);
  logged.add(entry);
  return true;
}

/**
 * Logs each parameter of the request that matters and has no effect. A process logs it once for each client. Values are
 * not logged.
 *
 * @param resource the audience that the request got; the default is the library's `resource`
 */
export function reportIgnored(
  ctx: KoaContextWithOIDC,
  { logger, resource = ctx.oidc.params?.resource }: { logger: Logger; resource?: unknown },
): void {
  const { id: clientId } = clientOf(ctx);
  const report = (parameter: string, instead: string) => {
    if (isNew(`${clientId} ${parameter}`)) logger.warn({ clientId, parameter, instead }, 'parameter ignored');
  };
  for (const [parameter, given] of [ctx.query, ctx.oidc.body ?? {}].flatMap(Object.entries)) {
    const known = Object.hasOwn(foreign, parameter) ? foreign[parameter] : undefined;
    if (known && (known.value === undefined || known.value === given)) report(parameter, known.instead);
  }
  const { audience } = ctx.oidc.params ?? {};
  if (audience !== undefined && ![resource].flat().includes(audience))
    report('audience', 'send resource (RFC 8707) with an API that the client may use, and one of its scopes');
}

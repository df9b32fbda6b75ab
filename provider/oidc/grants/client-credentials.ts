import { errors } from 'oidc-provider';
import type { TokenGrant } from './grant.ts';
import { requestedScopes } from './parameter.ts';

/**
 * The client credentials grant (RFC 6749 §4.4). The library's, but a request that names no scope gets all the API
 * scopes in the client's document (§3.3): a token without any would be refused by every API.
 */
export function createClientCredentialsGrant(deps: {
  apiScopesOf(clientId: string): readonly string[];
  /** The one audience asked for, or the client's own; throws `invalid_target` for one it may not have. */
  audience(clientId: string, scopes: ReadonlySet<string>, asked: unknown): string;
}): TokenGrant {
  return {
    name: 'client_credentials',
    parameters: ['scope'],
    handler: (_provider, steps) => async (ctx) => {
      const clientId = ctx.oidc.client?.clientId ?? '';
      const scopes = requestedScopes(ctx) ?? deps.apiScopesOf(clientId);
      if (scopes.includes('openid'))
        throw new errors.InvalidScope('openid needs a person to sign in', 'openid');
      const resource = deps.audience(clientId, new Set(scopes), ctx.oidc.params?.resource);
      Object.assign(ctx.oidc.params ?? {}, { scope: scopes.join(' ') || undefined, resource });
      await steps.clientCredentials(ctx);
    },
  };
}

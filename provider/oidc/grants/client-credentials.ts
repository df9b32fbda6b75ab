import { errors } from 'oidc-provider';
import type { Api } from '../../config/access-model.ts';
import { clientOf } from '../current-request.ts';
import { reportIgnored } from '../ignored-parameters.ts';
import type { OidcServices } from '../services.ts';
import { audienceAsResource } from '../tokens/token-policy.ts';
import { requestedScopes, type TokenGrant } from './grant.ts';

/**
 * The client credentials grant (RFC 6749 §4.4). It uses the library's grant, but a request without a scope gets all API
 * scopes of the client's document (§3.3), because every API would refuse a token without scopes.
 */
export function createClientCredentialsGrant(
  { policy, logger }: Pick<OidcServices, 'policy' | 'logger'>,
  apis: readonly Api[],
): TokenGrant {
  const apiScopes = new Set(apis.flatMap((api) => api.scopes.map(({ name }) => name)));
  return {
    name: 'client_credentials',
    parameters: ['scope', 'audience'],
    handler: (_provider, steps) => async (ctx) => {
      const client = clientOf(ctx);
      const scopes = requestedScopes(ctx) ?? client.scopes.filter((scope) => apiScopes.has(scope));
      if (scopes.includes('openid'))
        throw new errors.InvalidScope('openid needs a person to sign in', 'openid');
      const requested = new Set(scopes);
      const named = ctx.oidc.params?.resource ?? audienceAsResource(policy, ctx, requested);
      const resource = policy.audience(client, requested, named);
      reportIgnored(ctx, { logger, resource });
      Object.assign(ctx.oidc.params ?? {}, { scope: scopes.join(' ') || undefined, resource });
      await steps.clientCredentials(ctx);
    },
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { GrantSteps, TokenGrant } from '../grants/grant.ts';
import { grantStepsOf, runInProviderContext } from '../patches/internals.ts';
import { leaveOutIdToken, rememberCalledUrl, requireProof } from '../patches/requests.ts';

/** A token response (RFC 6749 §5.1). */
export interface TokenResponse {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token?: string;
  id_token?: string;
  scope?: string;
  /** The person should choose a new password. Only after the password grant. */
  new_password_needed?: true;
}

/** Redeems a grant for a client that the JSON API has accepted, which takes no client credentials. */
export interface TokenRequests {
  /**
   * @returns the response that the token endpoint would have given
   * @throws the errors of the grant, and `invalid_client` (RFC 6749 §5.2) for a client that was removed meanwhile
   */
  redeem(
    request: IncomingMessage,
    response: ServerResponse,
    clientId: string,
    grantType: string,
    parameters: Record<string, string | object>,
  ): Promise<TokenResponse>;
}

/**
 * Runs our own grants through the same code, models and events as the token endpoint, so that there is one kind of token,
 * one kind of family, and one way to revoke.
 */
export function createTokenRequests(provider: () => Provider, grants: readonly TokenGrant[]): TokenRequests {
  const known = new WeakMap<Provider, GrantSteps>();
  const stepsOf = (serving: Provider) => {
    const steps = known.get(serving) ?? grantStepsOf(serving);
    known.set(serving, steps);
    return steps;
  };
  return {
    redeem: async (request, response, clientId, grantType, parameters) => {
      const serving = provider();
      const grant = grants.find(({ name }) => name === grantType);
      if (!grant) throw new Error(`no grant ${grantType}`);
      const client = await serving.Client.find(clientId);
      if (!client) throw new errors.InvalidClient('client is unknown');
      const ctx = contextOf(serving, request, response);
      ctx.oidc.entity('Client', client);
      requireProof(ctx);
      leaveOutIdToken(ctx);
      Object.assign(ctx.oidc, { params: { ...parameters, grant_type: grantType } });
      await runInProviderContext(ctx, () => grant.handler(serving, stepsOf(serving))(ctx));
      serving.emit('grant.success', ctx);
      return ctx.body as TokenResponse;
    },
  };
}

interface MutableOidc {
  entity(name: string, value: unknown): void;
}

function contextOf(provider: Provider, request: IncomingMessage, response: ServerResponse) {
  const ctx = provider.createContext(request, response);
  Object.assign(ctx, { _matchedRouteName: 'token' });
  const oidc = new provider.OIDCContext(ctx);
  // `requestNormaliser` sets `originalUrl` where the issuer has a path.
  const { originalUrl, url = '/' } = request as IncomingMessage & { originalUrl?: string };
  const { origin, pathname } = new URL(originalUrl ?? url, provider.issuer);
  rememberCalledUrl(oidc, `${origin}${pathname}`);
  Object.defineProperty(ctx, 'oidc', { value: oidc });
  return ctx as unknown as KoaContextWithOIDC & { oidc: MutableOidc };
}

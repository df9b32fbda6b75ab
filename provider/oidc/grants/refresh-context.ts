import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { DpopProof, GrantSteps } from './grant.ts';
import type {
  CurrentToken,
  OurRefreshToken,
  RefreshTokenGrantDeps,
  RefreshTokenPayload,
} from './refresh-token-deps.ts';
import type { RefreshRequest } from './stored-response.ts';

/** One refreshContext, and everything that is at hand for it. */
export interface RefreshContext<Current extends CurrentToken = CurrentToken> {
  deps: RefreshTokenGrantDeps<Current>;
  provider: Provider;
  steps: GrantSteps;
  ctx: KoaContextWithOIDC;
  /** The token as it was presented. */
  value: string;
  proof: DpopProof | undefined;
  request: RefreshRequest;
  /** Milliseconds since the epoch: a request that came within the grace is slow for no fault of its sender. */
  arrivedAt: number;
}

/**
 * The token as the library's model, once it is known that it may be used: its session lives, its account and what was
 * granted are as they were, and the sender has its key (RFC 9449 §5).
 */
export async function checkedToken<Current extends CurrentToken>(
  { deps, provider, steps, ctx, proof }: RefreshContext<Current>,
  payload: RefreshTokenPayload,
): Promise<OurRefreshToken> {
  const token = new provider.RefreshToken({
    ...payload,
    client: ctx.oidc.client,
  } as never) as OurRefreshToken;
  if (!(await deps.isSessionAlive(provider, token)))
    throw new errors.InvalidGrant('the session this sign-in belongs to has ended');
  const grant = await steps.validateGrant(ctx, token.grantId ?? '');
  if (token.jkt && token.jkt !== proof?.thumbprint) throw new errors.InvalidGrant('failed jkt verification');
  ctx.oidc.entity('RefreshToken', token);
  ctx.oidc.entity('Grant', grant);
  ctx.oidc.entity('Account', await steps.validateAccount(ctx, token, 'refresh token'));
  return token;
}

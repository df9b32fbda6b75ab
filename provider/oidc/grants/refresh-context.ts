import { errors, type KoaContextWithOIDC, type Provider, type RefreshToken } from 'oidc-provider';
import { requestOrigin } from '../../lib/request-scope.ts';
import type { OidcServices } from '../services.ts';
import { isSessionAlive } from '../sessions/active-sign-ins.ts';
import type { RefreshTokenPayload } from '../storage/refresh-tokens.ts';
import type { DpopProof, GrantSteps } from './grant.ts';
import type { RefreshRequest } from './stored-response.ts';

/** One redemption of a refresh token, and everything that it needs. */
export interface RefreshContext {
  services: OidcServices;
  provider: Provider;
  steps: GrantSteps;
  ctx: KoaContextWithOIDC;
  /** The token as it was presented. */
  value: string;
  proof: DpopProof | undefined;
  request: RefreshRequest;
  /** Milliseconds since the epoch. It decides about the grace, because a delay here is not the fault of the sender. */
  arrivedAt: number;
  /** The client's grace (DESIGN §1, G1). */
  graceSeconds: number;
}

/** The library's refresh token with our own fields. */
export type OurRefreshToken = RefreshToken & { familyId: string; tokenVersion: number; sessionSid?: string };

/**
 * The token as the library's model, after the checks that allow its use: its session is alive, its account and consent
 * are unchanged, and the sender has the key that it is bound to (RFC 9449 §5).
 */
export async function checkedToken(
  { services, provider, steps, ctx, proof }: RefreshContext,
  payload: RefreshTokenPayload,
): Promise<OurRefreshToken> {
  const token = new provider.RefreshToken({
    ...payload,
    client: ctx.oidc.client,
  } as never) as OurRefreshToken;
  if (!(await isSessionAlive(provider.Session, token, services.revocation)))
    throw new errors.InvalidGrant('the session this sign-in belongs to has ended');
  const grant = await steps.validateGrant(ctx, token.grantId ?? '');
  if (token.jkt && token.jkt !== proof?.thumbprint) throw new errors.InvalidGrant('failed jkt verification');
  ctx.oidc.entity('RefreshToken', token);
  ctx.oidc.entity('Grant', grant);
  ctx.oidc.entity('Account', await steps.validateAccount(ctx, token, 'refresh token'));
  return token;
}

/**
 * The fields of a log line about an unusual refresh. A stolen token looks like a lost response (DESIGN §6.2), so an
 * investigation needs to know where each request came from.
 */
export function refreshFields({ id, clientId }: { id: string; clientId: string }) {
  const { ip: clientAddress, userAgent } = requestOrigin();
  return { familyId: id, clientId, clientAddress, userAgent };
}

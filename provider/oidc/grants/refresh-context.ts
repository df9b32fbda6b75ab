import { errors, type KoaContextWithOIDC, type Provider, type RefreshToken } from 'oidc-provider';
import { z } from 'zod';
import { requestOrigin } from '../../lib/request-scope.ts';
import type { OidcServices } from '../services.ts';
import { isSessionAlive, type OidcAccount } from '../sessions/accounts-view.ts';
import type { RefreshTokenPayload } from '../storage/refresh-tokens.ts';
import type { DpopProof, GrantSteps } from './grant.ts';

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
export type OurRefreshToken = RefreshToken & {
  familyId: string;
  tokenVersion: number;
  sessionSid?: string;
  ungrantedScope?: string;
};

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

/** What a redemption of a refresh token asks for, besides the token itself. */
export interface RefreshRequest {
  scope: string | undefined;
  resource: string[];
  /** Thumbprint of the key of the request's DPoP proof (RFC 9449 §6.1). */
  jkt: string | undefined;
}

const schema = z.object({
  scope: z.string().optional(),
  resource: z.array(z.string()),
  jkt: z.string().optional(),
  body: z.record(z.string(), z.unknown()),
});

/** The first redemption of a refresh token: its request, and the body of its response, member for member. */
export type StoredResponse = z.infer<typeof schema>;

/** @returns what this request asks for, equal for requests that mean the same */
export function refreshRequest({ oidc }: KoaContextWithOIDC, jkt: string | undefined): RefreshRequest {
  const { scope, resource } = oidc.params ?? {};
  return {
    scope: typeof scope === 'string' ? inOrder(scope) : undefined,
    resource: [...new Set([resource ?? []].flat() as string[])].sort(),
    jkt,
  };
}

/**
 * The scopes that a refresh asks for; everything that was granted where it names none (RFC 6749 §6). Clients often
 * repeat the scopes of their authorization request. So a refresh ignores the scopes that the
 * authorization request asked for and did not get. It also ignores an ungranted `offline_access`.
 *
 * @param asked the `scope` parameter
 * @returns each scope once; those that were neither granted nor asked for before are among them
 */
export function meantScopes(token: OurRefreshToken, asked: string | undefined): string[] {
  const ignored = new Set(['offline_access', ...(token.ungrantedScope?.split(' ') ?? [])]);
  const meant = (asked ?? token.scope ?? '').split(' ').filter(Boolean);
  return [...new Set(meant.filter((scope) => token.scopes.has(scope) || !ignored.has(scope)))];
}

/** Those of the scopes that the person has the permission for now. `checkedToken` must have found the account. */
export function permittedScopes({ services, ctx }: RefreshContext, scopes: readonly string[]): string[] {
  return services.policy.permitted(scopes, (ctx.oidc.entities.Account as OidcAccount).permissions);
}

/**
 * Whether both ask for the same scopes and the same resources.
 * @param meant what a `scope` parameter means for this token
 */
export function asksTheSame(
  one: RefreshRequest,
  other: StoredResponse,
  meant: (scope: string | undefined) => string[],
): boolean {
  const asked = ({ scope, resource }: RefreshRequest | StoredResponse) =>
    JSON.stringify([meant(scope).sort(), resource]);
  return asked(one) === asked(other);
}

/** The order of scopes has no meaning (RFC 6749 §3.3), and naming one twice has none either. */
const inOrder = (scope: string): string => [...new Set(scope.split(' '))].sort().join(' ');

export const writeStoredResponse = (request: RefreshRequest, body: Record<string, unknown>): string =>
  JSON.stringify({ ...request, body });

export const readStoredResponse = (text: string): StoredResponse => schema.parse(JSON.parse(text));

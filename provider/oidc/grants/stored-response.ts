import type { KoaContextWithOIDC } from 'oidc-provider';
import { z } from 'zod';

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
 * Whether both ask for the same scopes and the same resources.
 * @param granted everything that was granted: a request without a scope means that (RFC 6749 §6)
 */
export function asksTheSame(one: RefreshRequest, other: StoredResponse, granted: string): boolean {
  const scopesOf = ({ scope }: { scope?: string | undefined }) => scope ?? inOrder(granted);
  return scopesOf(one) === scopesOf(other) && JSON.stringify(one.resource) === JSON.stringify(other.resource);
}

/** The order of scopes has no meaning (RFC 6749 §3.3), and naming one twice has none either. */
const inOrder = (scope: string): string => [...new Set(scope.split(' '))].sort().join(' ');

export const writeStoredResponse = (request: RefreshRequest, body: Record<string, unknown>): string =>
  JSON.stringify({ ...request, body });

export const readStoredResponse = (text: string): StoredResponse => schema.parse(JSON.parse(text));

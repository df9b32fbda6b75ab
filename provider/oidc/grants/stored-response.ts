import type { KoaContextWithOIDC } from 'oidc-provider';
import { z } from 'zod';

/** What a refreshContext of a refresh token asks for, besides by which token. */
export interface RefreshRequest {
  scope: string | undefined;
  resource: string[];
  /** Thumbprint of the key that the request was proved with (RFC 9449 §6.1). */
  jkt: string | undefined;
}

const schema = z.object({
  scope: z.string().optional(),
  resource: z.array(z.string()),
  jkt: z.string().optional(),
  body: z.record(z.string(), z.unknown()),
});

/** A refreshContext as it was settled: what was asked, and the response's body, member for member. */
export type StoredResponse = z.infer<typeof schema>;

/** @returns what this request asks for, the same for requests that mean the same */
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
 * @param granted what asking for no scope stands for: all that was granted (RFC 6749 §6)
 */
export function asksTheSame(one: RefreshRequest, other: StoredResponse, granted: string): boolean {
  const scopesOf = ({ scope }: Pick<RefreshRequest, 'scope'>) => scope ?? inOrder(granted);
  return (
    scopesOf(one) === scopesOf({ scope: other.scope }) &&
    JSON.stringify(one.resource) === JSON.stringify(other.resource)
  );
}

/** The order of scopes has no meaning (RFC 6749 §3.3), and neither has naming one twice. */
const inOrder = (scope: string): string => [...new Set(scope.split(' '))].sort().join(' ');

export const writeStoredResponse = (request: RefreshRequest, body: Record<string, unknown>): string =>
  JSON.stringify({ ...request, body });

export const readStoredResponse = (text: string): StoredResponse => schema.parse(JSON.parse(text));

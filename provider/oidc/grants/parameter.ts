import { errors, type KoaContextWithOIDC } from 'oidc-provider';

/**
 * @returns the parameter's value
 * @throws `invalid_request` (RFC 6749 §5.2) when it is missing, empty, or not one string
 */
export function requiredParameter(ctx: KoaContextWithOIDC, name: string): string {
  const value = ctx.oidc.params?.[name];
  if (typeof value === 'string' && value.length > 0) return value;
  throw new errors.InvalidRequest(`missing required parameter(s): ${name}`);
}

/** @returns the requested scopes in order, or undefined when the request names none */
export function requestedScopes(ctx: KoaContextWithOIDC): string[] | undefined {
  const scope = ctx.oidc.params?.scope;
  return typeof scope === 'string' && scope.length > 0 ? [...new Set(scope.split(' '))] : undefined;
}

import type { AccessToken } from '@gatehouse/verify';

/** Uses every claim with its type. If the provider's schema loses a claim or changes its type, this does not compile. */
export function describeToken({ claims }: AccessToken): string {
  const texts: string[] = [claims.iss, claims.sub, claims.aud, claims.client_id, claims.jti];
  const numbers: number[] = [claims.iat, claims.exp, claims.generation ?? 0, claims.client_generation ?? 0];
  const optional: (string | undefined)[] = [
    claims.scope,
    claims.family,
    claims.consent,
    claims.sid,
    claims.email,
    claims.cnf?.jkt,
  ];
  const lists: string[][] = [claims.roles ?? [], claims.permissions ?? [], claims.userinfo_claims ?? []];
  const isVerified: boolean = claims.email_verified ?? false;
  return JSON.stringify({ texts, numbers, optional, lists, isVerified });
}

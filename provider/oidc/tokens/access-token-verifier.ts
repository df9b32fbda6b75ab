import { createPublicKey, type KeyObject } from 'node:crypto';
import { type JWK, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import type { AccountFacts } from '../../ports/account-store.ts';
import type { RevocationSubjects } from '../../ports/denylist.ts';

const claimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  client_id: z.string(),
  jti: z.string(),
  iat: z.number(),
  exp: z.number(),
  scope: z.string().optional(),
  family: z.string().optional(),
  consent: z.string().optional(),
  sid: z.string().optional(),
  generation: z.number().optional(),
  client_generation: z.number().optional(),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
  roles: z.array(z.string()).optional(),
  permissions: z.array(z.string()).optional(),
  userinfo_claims: z.array(z.string()).optional(),
  cnf: z.object({ jkt: z.string() }).optional(),
});

/** The claims of an access token of ours (RFC 9068 §2.2 and DESIGN §4). */
export type AccessTokenClaims = z.infer<typeof claimsSchema>;

export interface AccessTokenVerifier {
  /**
   * @returns the claims of a live access token: signed by us, not expired, not revoked, its account in good
   *   standing; undefined for anything else, whatever is wrong with it.
   * @throws StoreUnavailable when it can't be known whether the token was revoked
   */
  verify(token: string): Promise<AccessTokenClaims | undefined>;
  /** The part of `verify` that needs no store: the claims of a token of ours that isn't expired, revoked or not. */
  read(token: string): Promise<AccessTokenClaims | undefined>;
  /**
   * The other part.
   * @param claims of `read`
   * @throws StoreUnavailable when it can't be known
   */
  stands(claims: AccessTokenClaims): Promise<boolean>;
}

export interface AccessTokenVerifierDeps {
  issuer: string;
  clock: Clock;
  /** Every key that may have signed a token that still lives. */
  publicKeys(): readonly JWK[];
  isRevoked(token: RevocationSubjects): Promise<boolean>;
  /** The account a token stands for; undefined when the token was revoked, or when there is no such account. */
  accountOf(token: RevocationSubjects, accountId: string): Promise<AccountFacts | undefined>;
  /** Undefined when there is no such client any more: the tokens of one that was removed are dead. */
  client(id: string): { firstParty: boolean } | undefined;
}

export function createAccessTokenVerifier(deps: AccessTokenVerifierDeps): AccessTokenVerifier {
  const imported = new Map<string, KeyObject>();
  const keyFor = (kid: string | undefined): KeyObject => {
    const jwk = deps.publicKeys().find((key) => key.kid === kid);
    if (!jwk?.kid) throw new Error('no such key');
    const known = imported.get(jwk.kid) ?? createPublicKey({ key: { ...jwk }, format: 'jwk' });
    imported.set(jwk.kid, known);
    return known;
  };

  const claimsOf = async (token: string): Promise<AccessTokenClaims | undefined> => {
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => keyFor(kid), {
        issuer: deps.issuer,
        typ: 'at+jwt',
        algorithms: ['RS256'],
        currentDate: new Date(deps.clock.now()),
      });
      return claimsSchema.parse(payload);
    } catch {
      return undefined;
    }
  };

  const read = async (token: string): Promise<AccessTokenClaims | undefined> => {
    const claims = await claimsOf(token);
    const client = claims && deps.client(claims.client_id);
    if (!client) return undefined;
    const isConsented = client.firstParty || claims.consent !== undefined || isMachineToken(claims);
    return isConsented ? claims : undefined;
  };

  const stands = async (claims: AccessTokenClaims): Promise<boolean> => {
    const marks = revocationSubjects(claims);
    if (isMachineToken(claims)) return !(await deps.isRevoked(marks));
    const account = await deps.accountOf(marks, claims.sub);
    return account?.state === 'active' && account.tokenVersion === claims.generation;
  };

  return {
    verify: async (token) => {
      const claims = await read(token);
      return claims && (await stands(claims)) ? claims : undefined;
    },
    read,
    stands,
  };
}

/** What could have been revoked of a token with these claims. */
export function revocationSubjects(claims: AccessTokenClaims): RevocationSubjects {
  const { jti, client_id: clientId, client_generation: clientTokenVersion, family, consent, sid } = claims;
  return { jti, clientId, clientTokenVersion, family, consent, sid };
}

/** A client's own token (client credentials): RFC 9068 §2.2 has the client as its subject. */
export function isMachineToken(claims: { sub: string; client_id: string }): boolean {
  return claims.sub === claims.client_id;
}

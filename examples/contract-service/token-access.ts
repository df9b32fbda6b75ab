import { createVerifier } from '@gatehouse/verify';
import { accessTokenOf, requireAccessToken } from '@gatehouse/verify/fastify';
import type { Access } from './access.ts';

export interface TokenAccessOptions {
  issuer: string;
  audience: string;
}

/**
 * For a service behind API Gateway, or behind nothing. The service checks the token itself. This needs no request for each
 * call, but it doesn't see a revocation. The careful hook asks Gatehouse about it.
 */
export function createTokenAccess({ issuer, audience }: TokenAccessOptions): Access {
  const verifier = createVerifier({ issuer, audience });
  const careful = createVerifier({ issuer, audience, revocation: true });
  return {
    needs: (scope, { isCareful = false } = {}) =>
      requireAccessToken(isCareful ? careful : verifier, { scopes: [scope] }),
    subjectOf: (request) => accessTokenOf(request).subject,
  };
}

import type { FastifyReply, FastifyRequest } from 'fastify';

/** How the service knows who sent a request. `header-access.ts` and `token-access.ts` are two ways. A service needs one. */
export interface Access {
  /** A hook that lets only requests pass whose token has this scope. It answers all others with 401, 403 or 503. */
  needs(
    scope: string,
    options?: AccessOptions,
  ): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
  /** The id of the account, behind such a hook. */
  subjectOf(request: FastifyRequest): string;
}

export interface AccessOptions {
  /** Refuse also tokens that were revoked a moment ago. This is for routes that change something. */
  isCareful?: boolean;
}

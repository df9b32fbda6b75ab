import { handleRefusals } from '@gatehouse/verify/fastify';
import { type FastifyInstance, fastify } from 'fastify';
import type { Access } from './access.ts';
import { createContracts } from './contracts.ts';

const newContract = {
  type: 'object',
  required: ['title'],
  properties: { title: { type: 'string', minLength: 1, maxLength: 200 } },
} as const;

/** The contracts of a person, and of no one else: the owner is the subject of the token, never a parameter. */
export function createContractService(access: Access): FastifyInstance {
  const app = fastify();
  const contracts = createContracts();
  app.setErrorHandler(handleRefusals());

  app.get('/v1/contracts', { onRequest: access.needs('contracts:read') }, async (request) => ({
    contracts: contracts.of(access.subjectOf(request)),
  }));

  app.post<{ Body: { title: string } }>(
    '/v1/contracts',
    { onRequest: access.needs('contracts:write', { isCareful: true }), schema: { body: newContract } },
    async (request, reply) => {
      reply.code(201);
      return contracts.add(access.subjectOf(request), request.body.title);
    },
  );
  return app;
}

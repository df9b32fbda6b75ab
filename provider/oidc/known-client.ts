import { errors } from 'oidc-provider';
import type { ClientDirectory, ClientFacts } from './client-facts.ts';

/**
 * The facts of a client that was let in already. Throws `invalid_client` (RFC 6749 §5.2): its document may have been
 * taken away while the request was under way.
 */
export function knownClient(clients: Pick<ClientDirectory, 'find'>, id: string): ClientFacts {
  const facts = clients.find(id);
  if (!facts) throw new errors.InvalidClient('client is unknown');
  return facts;
}

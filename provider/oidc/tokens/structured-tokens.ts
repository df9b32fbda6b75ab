import type { IncomingMessage } from 'node:http';
import { replayBody } from '../../lib/message-body.ts';
import { wrapToken } from './access-token-payload.ts';

/**
 * Makes the library accept our JWT access tokens at introspection and revocation, as standard clients expect (RFC 7662,
 * RFC 7009; DESIGN §6.3): the `token` parameter is rewritten so that it does not look like a JWT, and the library reads the
 * new body.
 * @param body the request's body as it was received
 */
export function wrapTokenParameter(request: IncomingMessage, body: Buffer): void {
  const parameters = new URLSearchParams(body.toString('utf8'));
  const tokens = parameters.getAll('token');
  parameters.delete('token');
  for (const token of tokens) parameters.append('token', wrapToken(token));
  replayBody(request, Buffer.from(parameters.toString()));
}

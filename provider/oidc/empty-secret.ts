import type { IncomingMessage } from 'node:http';
import type { ClientDocument } from '../clients/client-document.ts';

/**
 * An empty secret means no secret (RFC 6749 §2.3.1). Some client libraries, such as Go's `oauth2`, send a public client's
 * id in a Basic header with an empty secret. The library refuses that. Here the header is removed, and the id moves to
 * the body. A confidential client keeps the header, and is refused.
 * @param auth how the client with this id authenticates
 * @returns the body for the library
 */
export function moveEmptySecret(
  { headers }: IncomingMessage,
  body: Buffer,
  auth: (clientId: string) => ClientDocument['auth'] | undefined,
): Buffer {
  const clientId = idWithEmptySecret(headers.authorization ?? '');
  if (clientId === undefined || auth(clientId) !== 'none') return body;
  const parameters = new URLSearchParams(body.toString('utf8'));
  const [named = clientId, ...more] = parameters.getAll('client_id');
  // The library refuses two different ids.
  if (named !== clientId || more.length > 0) return body;
  delete headers.authorization;
  parameters.set('client_id', clientId);
  return Buffer.from(parameters.toString());
}

function idWithEmptySecret(header: string): string | undefined {
  const credentials = /^basic (?<base64>[A-Za-z0-9+/]+=*)$/i.exec(header)?.groups?.base64;
  const id = /^(?<id>[\w.%+-]+):$/.exec(Buffer.from(credentials ?? '', 'base64').toString('utf8'))?.groups
    ?.id;
  // Only an id that is a URL has characters that form-encoding changes. As the only value it is decoded whole.
  return id === undefined ? undefined : (new URLSearchParams(`id=${id}`).get('id') ?? undefined);
}

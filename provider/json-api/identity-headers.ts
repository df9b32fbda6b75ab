import type { VerifiedToken } from './endpoints.ts';

/** The claims that tell a service behind a gateway which account and client send the request. */
export interface Identity extends VerifiedToken {
  aud: string;
}

/** The name of each header with its meaning, for the description of the API. */
export const identityHeaderNames = {
  'X-Auth-Subject': 'The account’s id, or for client credentials the client’s.',
  'X-Auth-Client': 'The client’s id.',
  'X-Auth-Audience': 'The API.',
  'X-Auth-Scope': 'The scopes, with blanks between.',
  'X-Auth-Email': 'The account’s address, where the token tells it.',
  'X-Auth-Email-Verified': '`true` or `false`, with the address.',
  'X-Auth-Roles': 'The roles, with blanks between: first-party clients only.',
  'X-Auth-Permissions': 'The permissions, with blanks between.',
  'X-Auth-Revocation': '`checked`, or `unchecked` where GATEHOUSE_VERIFY_WITHOUT_DENYLIST_SECONDS let it in.',
} as const;

/**
 * The headers that a gateway passes on to the service. Every header is always set, even if it is empty. If a header
 * were left out, the gateway would pass on the value that the caller sent. The percent sign, and every character that
 * is not printable ASCII, is percent-encoded as UTF-8.
 */
export function identityHeaders(
  token: Identity,
  revocation: 'checked' | 'unchecked',
): Record<keyof typeof identityHeaderNames, string> {
  return {
    'X-Auth-Subject': encoded(token.sub),
    'X-Auth-Client': encoded(token.client_id),
    'X-Auth-Audience': encoded(token.aud),
    'X-Auth-Scope': list(token.scope?.split(' ')),
    'X-Auth-Email': encoded(token.email ?? ''),
    'X-Auth-Email-Verified': token.email === undefined ? '' : String(token.email_verified === true),
    'X-Auth-Roles': list(token.roles),
    'X-Auth-Permissions': list(token.permissions),
    'X-Auth-Revocation': revocation,
  };
}

const list = (values: readonly string[] = []) => values.map(encoded).join(' ');

const encoded = (value: string) =>
  value.replace(/[^\x21-\x24\x26-\x7e]+/g, (odd) =>
    [...Buffer.from(odd, 'utf8')]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );

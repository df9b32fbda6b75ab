/**
 * The algorithms of client assertions (RFC 7523) that the server accepts, by the `kty` of the client's key. Client secrets are
 * kept hashed, so there is none with a shared secret.
 */
export const clientAssertionAlgs = {
  RSA: ['RS256', 'PS256'],
  EC: ['ES256'],
  OKP: ['EdDSA', 'Ed25519'],
} as const;

/** A sign-in with a password, as id tokens describe it (OpenID Connect Core §2). */
export const passwordSignIn = {
  /** RFC 8176 §2. */
  amr: ['pwd'],
  /** The name that SAML 2.0 gave to a password over TLS. Apps that used SAML before know it. */
  acr: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
};

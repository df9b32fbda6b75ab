/** The public part of a key that a remote service keeps. */
export interface RemoteKey {
  /** The full name of the key in its service. For AWS KMS it is the ARN. */
  arn: string;
  /** Modulus and exponent, base64url (RFC 7518 §6.3.1). */
  n: string;
  e: string;
}

/** A service that keeps private RSA keys and signs with them. The private keys never leave it. */
export interface RemoteSigner {
  /**
   * Reads the public part of a key. `name` may be an alias.
   *
   * Throws a ConfigurationError if the key is missing or is not usable for RS256, and StoreUnavailable.
   */
  describe(name: string): Promise<RemoteKey>;
  /** Makes a signature with RSASSA-PKCS1-v1_5 of a SHA-256 digest. Throws StoreUnavailable. */
  sign(arn: string, digest: Uint8Array): Promise<Uint8Array>;
}

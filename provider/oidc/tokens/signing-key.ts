import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';

/** A private key (RFC 7517). */
export type PrivateKey = JsonWebKey & { kid: string };

/**
 * An RSA key that signs in the calling thread. The library itself makes each signature in another thread. That costs 20
 * % more, and the signature must wait there until passwords are hashed (`docs/speed.md`).
 */
export class SigningKey extends ExternalSigningKey {
  readonly #kid: string;
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #signed: (kid: string) => void;

  /** @param signed called for each signature */
  constructor(jwk: PrivateKey, signed: (kid: string) => void) {
    super();
    this.#kid = jwk.kid;
    this.#signed = signed;
    this.#private = createPrivateKey({ key: jwk, format: 'jwk' });
    this.#public = createPublicKey(this.#private);
  }

  override get kid(): string {
    return this.#kid;
  }

  override get alg(): string {
    return 'RS256';
  }

  /** The public key, for verifying signatures. */
  override keyObject(): KeyObject {
    return this.#public;
  }

  /** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3). */
  override sign(data: Uint8Array): Buffer {
    this.#signed(this.#kid);
    return sign('sha256', data, this.#private);
  }
}

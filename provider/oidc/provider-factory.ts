import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, Middleware } from 'koa';
import { ExternalSigningKey, Provider } from 'oidc-provider';
import { etagOf } from '../lib/message-body.ts';
import { createOidcConfiguration } from './configuration.ts';
import { orUnavailable } from './current-request.ts';
import type { TokenGrant } from './grants/grant.ts';
import { listen } from './listeners.ts';
import { discoveryOf, grantStepsOf } from './patches/internals.ts';
import { keepLogoutLanguage } from './patches/logout-language.ts';
import { prefillUserCode } from './patches/prefill-user-code.ts';
import { goOnWithoutSession } from './patches/signed-out-logout.ts';
import { applyPatches } from './patches/table.ts';
import { rejectingListener } from './rejecting-listener.ts';
import type { OidcServices } from './services.ts';

/**
 * Builds one Provider over one set of keys. It takes about 2 ms: keys rotate by building another.
 * @param jwks the keys, the signing one first
 */
export function buildProvider(
  services: OidcServices,
  grants: readonly TokenGrant[],
  jwks: PrivateKeys,
): Provider {
  const signed = (kid: string) => services.metrics.signatures.inc({ kid });
  const keys = jwks.keys.map((jwk) => new SigningKey(jwk, signed));
  const provider = new Provider(services.issuer, createOidcConfiguration(services, { keys }));
  // The library trusts proxy headers. We write these headers ourselves, only from the issuer.
  provider.proxy = true;
  applyPatches(provider, services);
  const steps = grantStepsOf(provider);
  for (const grant of grants) {
    const parameters = [...grant.parameters, 'resource'];
    const handler = grant.handler(provider, steps);
    provider.registerGrantType(grant.name, (ctx) => orUnavailable(() => handler(ctx)), parameters, [
      'resource',
    ]);
  }
  provider.use(adaptAnswers);
  listen(provider, services);
  return provider;
}

/** What is changed in the library's answers. */
const adaptAnswers: Middleware = async (ctx, next) => {
  prefillUserCode(ctx);
  await next();
  goOnWithoutSession(ctx);
  keepLogoutLanguage(ctx);
  leaveOutEmptyType(ctx);
};

/**
 * An empty response has no media type (RFC 9110 §8.3). Koa says `text/plain`. A client library that expects JSON takes
 * that for an error, and for example gives up a sign-out before it has revoked the refresh token.
 */
function leaveOutEmptyType(ctx: Context): void {
  if (ctx.body === '') ctx.remove('Content-Type');
}

/** The metadata of the issuer (OpenID Connect Discovery §3, RFC 8414) as JSON, and its ETag. */
export type Metadata = () => { json: string; etag: string };

/**
 * Makes the metadata once: it changes with a release or the configuration, not with a request or the keys.
 *
 * @param apiScopes the scopes of APIs, which it lists too (RFC 8414 §2 `scopes_supported`). The library must not know
 *   them, because it takes every scope that it knows for one of OpenID Connect
 */
export function createMetadata(provider: () => Provider, apiScopes: readonly string[]): Metadata {
  let made: ReturnType<Metadata> | undefined;
  return () => {
    if (made) return made;
    const metadata = discoveryOf(provider());
    const scopes = [...metadata.scopes_supported, ...apiScopes];
    const json = JSON.stringify(Object.assign(metadata, { scopes_supported: scopes }));
    made = { json, etag: etagOf(json) };
    return made;
  };
}

/** A private key (RFC 7517), or a public key with a function that signs a SHA-256 digest with the private one. */
export type PrivateKey = JsonWebKey & {
  kid: string;
  signDigest?: ((digest: Uint8Array) => Promise<Uint8Array>) | undefined;
};

/**
 * An RSA key that signs in the calling thread. The library itself makes each signature in another thread. That costs 20
 * % more, and the signature must wait there until passwords are hashed (`docs/speed.md`). A key that is kept elsewhere
 * signs there.
 */
export class SigningKey extends ExternalSigningKey {
  readonly #kid: string;
  readonly #private: KeyObject | undefined;
  readonly #signDigest: PrivateKey['signDigest'];
  readonly #public: KeyObject;
  readonly #signed: (kid: string) => void;

  /** @param signed called for each signature */
  constructor({ signDigest, ...jwk }: PrivateKey, signed: (kid: string) => void) {
    super();
    this.#kid = jwk.kid;
    this.#signed = signed;
    this.#signDigest = signDigest;
    this.#private = signDigest === undefined ? createPrivateKey({ key: jwk, format: 'jwk' }) : undefined;
    this.#public = createPublicKey(this.#private ?? { key: jwk, format: 'jwk' });
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
  override sign(data: Uint8Array): Buffer | Promise<Buffer> {
    this.#signed(this.#kid);
    if (this.#private !== undefined) return sign('sha256', data, this.#private);
    return this.#signElsewhere(createHash('sha256').update(data).digest());
  }

  async #signElsewhere(digest: Uint8Array): Promise<Buffer> {
    if (this.#signDigest === undefined) throw new Error('a key without a private part was let in');
    const signDigest = this.#signDigest;
    return orUnavailable(async () => Buffer.from(await signDigest(digest)));
  }
}

/** Private keys, the signing one first. */
export interface PrivateKeys {
  keys: PrivateKey[];
}

export interface ProviderHost {
  /** The Provider over the present keys. Use it for one request only. */
  current(): Provider;
  /** Serves one request of the protocol. Rejects, with nothing sent, when it fails outside the library's error handling. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Builds a Provider over these keys, which takes the place of the old one; requests under way finish on the old one. */
  swap(jwks: PrivateKeys): void;
}

/**
 * A Provider's keys are fixed when it is built, so keys rotate by swapping Providers (DESIGN §6.6).
 * @param build makes a Provider from private keys, the signing one first
 */
export function createProviderHost(build: (jwks: PrivateKeys) => Provider, jwks: PrivateKeys): ProviderHost {
  const make = (keys: PrivateKeys) => {
    const provider = build(keys);
    return { provider, callback: rejectingListener(provider) };
  };
  let serving = make(jwks);
  return {
    current: () => serving.provider,
    handle: (request, response) => serving.callback(request, response),
    swap: (keys) => {
      serving = make(keys);
    },
  };
}

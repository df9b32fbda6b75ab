import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { throwKeptFailure } from './patches/late-failures.ts';
import type { PrivateKey } from './tokens/signing-key.ts';

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
    return { provider, callback: provider.callback() };
  };
  let serving = make(jwks);
  return {
    current: () => serving.provider,
    handle: async (request, response) => {
      await serving.callback(request, response);
      throwKeptFailure(request);
    },
    swap: (keys) => {
      serving = make(keys);
    },
  };
}

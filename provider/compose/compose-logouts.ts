import type { ClientRegistry } from '../clients/client-registry.ts';
import type { Config } from '../config/schema.ts';
import type { LogoutDeliveryDeps } from '../events/logout-delivery.ts';
import type { CurrentKeys } from '../keys/key-ring.ts';
import { type SigningKey as KeyOfSet, publicPart } from '../keys/key-set.ts';
import type { Clock } from '../lib/clock.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createLogoutSender } from '../oidc/logout-sender.ts';
import { createOutgoingPost } from '../oidc/outgoing-requests.ts';
import { type PrivateKey, SigningKey } from '../oidc/provider-factory.ts';
import { createSessionsAtClients, type SessionsAtClients } from '../oidc/sessions/client-sessions.ts';
import type { RemoteSigner } from '../ports/remote-signer.ts';
import type { Ports } from './ports.ts';

/** A key of the key set as the protocol signs with it. */
export function privateKeyOf(key: KeyOfSet, remote: RemoteSigner): PrivateKey {
  const { kid, privateJwk, kms } = key;
  const common = { kid, alg: 'RS256', use: 'sig' };
  if (kms === undefined) return { ...privateJwk, ...common };
  const signDigest = (digest: Uint8Array) => remote.sign(kms.arn, digest);
  return { kty: 'RSA', ...publicPart(key), ...common, signDigest };
}

export interface LogoutSenderParts {
  config: Pick<Config, 'issuer' | 'outgoingPrivateHosts'>;
  remoteSigner: RemoteSigner;
  clock: Clock;
  metrics: Pick<Metrics, 'signatures'>;
  /** The keys as they are now. */
  keys(): Promise<CurrentKeys> | CurrentKeys;
}

/** Assembles what sends logout tokens. Servers and workers use it. */
export function composeLogoutSender(parts: LogoutSenderParts): LogoutDeliveryDeps['send'] {
  const { config, clock, metrics, remoteSigner } = parts;
  return createLogoutSender({
    issuer: config.issuer,
    clock,
    signingKey: async () => {
      const { signing } = await parts.keys();
      return new SigningKey(privateKeyOf(signing, remoteSigner), (kid) => metrics.signatures.inc({ kid }));
    },
    post: createOutgoingPost(config.outgoingPrivateHosts),
  });
}

export interface SessionsAtClientsParts {
  config: Pick<Config, 'sessionAbsoluteSeconds' | 'refreshTokenAbsoluteDays'>;
  ports: Pick<Ports, 'clientSessions'>;
  clock: Clock;
  clients(): Pick<ClientRegistry, 'mayBeThirdParty'>;
}

/** Assembles what notes who is signed in at clients that want logout tokens. */
export function composeSessionsAtClients(parts: SessionsAtClientsParts): SessionsAtClients {
  const { config, ports, clock, clients } = parts;
  return createSessionsAtClients({
    store: ports.clientSessions,
    isConfigured: (id) => !clients().mayBeThirdParty(id),
    clock,
    longestSeconds: Math.max(config.sessionAbsoluteSeconds, config.refreshTokenAbsoluteDays * 86_400),
  });
}

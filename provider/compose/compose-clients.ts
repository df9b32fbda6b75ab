import { z } from 'zod';
import type { ClientDocument } from '../clients/client-document.ts';
import {
  type ClientIdMetadata,
  createClientIdMetadata,
  type StoredDocuments,
  type StoredMetadata,
} from '../clients/client-id-metadata.ts';
import { hostOfClientId } from '../clients/client-id-url.ts';
import {
  type ClientRegistration,
  type ClientRegistrationOptions,
  createClientRegistration,
} from '../clients/client-registration.ts';
import type { OtherClients } from '../clients/client-registry.ts';
import { createRegisteredLookup, isRegisteredId } from '../clients/registered-clients.ts';
import type { RegistrationRules } from '../clients/registration-metadata.ts';
import { knownClaims } from '../config/token-budget.ts';
import type { PageClient } from '../interactions/step.ts';
import type { ServerKeys } from '../lib/server-keys.ts';
import { fetchPublicDocument } from '../oidc/public-documents.ts';
import { createArtifacts } from '../oidc/storage/artifacts.ts';
import type { RateLimits } from '../rate-limits/rate-limits.ts';
import type { ComposeDeps, Parts } from './compose-deps.ts';

/** What clients that register themselves may be, by the settings. */
export const registrationRules = ({ config, accessModel }: ComposeDeps): RegistrationRules => ({
  scopes: config.selfRegisteredScopes,
  pkce: config.registrationPkce,
  apis: accessModel.apis.map(({ audience, scopes }) => ({
    audience,
    scopes: scopes.map(({ name }) => name),
  })),
  claims: knownClaims(accessModel, config.issuer),
  deviceFlow: config.deviceFlow,
});

/** Documents of clients are kept with the records of sign-ins: sealed, and until they expire. */
function storedDocuments({ ports, serverKeys: keys, clock }: LookupDeps): StoredDocuments {
  const artifacts = createArtifacts('ClientIdMetadata', {
    store: ports.oidcStore,
    keys,
    clock,
  });
  return {
    find: async (id) => (await artifacts.find(id))?.payload as StoredMetadata | undefined,
    put: (id, { text, fetchedAt, freshUntil }, seconds) =>
      artifacts.put(id, { text, fetchedAt, freshUntil }, seconds),
    destroy: (id) => artifacts.destroy(id),
  };
}

/** What pages show of a client. A home page that was not checked would make the app look like that page. */
export function pageClient(client: ClientDocument): PageClient {
  const isRegistered = isRegisteredId(client.id);
  const clientUri = isRegistered ? undefined : client.clientUri;
  return { ...client, clientUri, publishedBy: hostOfClientId(client.id), isRegistered };
}

interface LookupDeps extends ComposeDeps {
  serverKeys: ServerKeys;
  rateLimits: Pick<RateLimits, 'count'>;
}

/** The URL of the registration endpoint. */
const registrationEndpoint = ({ config }: ComposeDeps) => `${config.issuer}/oauth2/register`;

export interface SelfRegisteredClients {
  others: OtherClients[];
  /** A client was used. Never rejects. */
  used(clientId: string): Promise<void>;
}

/** The look-ups of clients that are in no source of documents. */
export function composeSelfRegistered(deps: LookupDeps): SelfRegisteredClients {
  const { ports, clock, logger } = deps;
  const store = ports.registeredClients;
  const registered = createRegisteredLookup({ store, rules: registrationRules(deps), clock });
  const published = composeClientIdMetadata(deps);
  return {
    others: published === undefined ? [registered] : [published, registered],
    used: (clientId) =>
      registered
        .used(clientId)
        .catch((error: unknown) => logger.warn({ err: error }, 'use of a registered client not noted')),
  };
}

/** The endpoint where clients register themselves; undefined where it is off. */
export function composeRegistration(
  deps: Parts & Pick<ClientRegistrationOptions, 'endClients'>,
): ClientRegistration | undefined {
  const { config, ports, clock } = deps;
  if (config.registration === 'off') return undefined;
  return createClientRegistration({
    mode: config.registration,
    endpoint: registrationEndpoint(deps),
    rules: registrationRules(deps),
    store: ports.registeredClients,
    unitOfWork: deps.unitOfWork,
    newEvent: deps.newEvent,
    endClients: deps.endClients,
    checkSector: async (url, redirectUris) => {
      await deps.rateLimits.count('client-metadata');
      if (!url.startsWith('https://')) throw new Error('it must be an https URL');
      const { text } = await fetchPublicDocument(url, clock.now());
      const listed = sectorSchema.safeParse(parseJson(text)).data;
      if (!listed || !redirectUris.every((uri) => listed.includes(uri)))
        throw new Error('it does not list every redirect URI');
    },
    clock,
  });
}

const sectorSchema = z.array(z.string());

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Clients whose id is the URL of their metadata document; undefined where no host is allowed. */
function composeClientIdMetadata(deps: LookupDeps): ClientIdMetadata | undefined {
  const { config, clock, logger, metrics, rateLimits } = deps;
  if (config.clientIdMetadataHosts.length === 0) return undefined;
  return createClientIdMetadata({
    hosts: config.clientIdMetadataHosts,
    rules: registrationRules(deps),
    fetchDocument: (url) => fetchPublicDocument(url, clock.now()),
    documents: storedDocuments(deps),
    countFetch: () => rateLimits.count('client-metadata'),
    clock,
    logger,
    metrics,
  });
}

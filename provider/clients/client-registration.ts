import type { NewEvent } from '../events/catalogue.ts';
import { type Clock, epochSeconds } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import { newId, randomToken } from '../lib/ids.ts';
import type { RegisteredClient, RegisteredClients } from '../ports/registered-clients.ts';
import type { TransactionStores, UnitOfWork } from '../ports/unit-of-work.ts';
import type { EndedClients } from '../revocation/client-revocation.ts';
import type { ClientDocument } from './client-document.ts';
import { oidcMetadata } from './oidc-metadata.ts';
import { checkRegistration, isDigestOf, registrationMs, sha256 } from './registered-clients.ts';
import {
  type ClientMetadata,
  describeMetadataProblems,
  keptMetadata,
  type RegistrationRules,
} from './registration-metadata.ts';

export interface ClientRegistrationOptions {
  /** GATEHOUSE_REGISTRATION. */
  mode: 'initial-access-token' | 'open';
  /** The URL of the registration endpoint. */
  endpoint: string;
  rules: RegistrationRules;
  store: Pick<RegisteredClients, 'find' | 'hasToken'>;
  unitOfWork: UnitOfWork;
  newEvent: NewEvent;
  /** Ends everything that clients were issued, and the consents for them. Gives what is done after the commit. */
  endClients(stores: TransactionStores, clients: EndedClients): Promise<() => Promise<void>>;
  /**
   * Checks that the JSON array at this URL lists all redirect URIs (OpenID Connect Registration §5).
   *
   * @throws an error whose message says why it does not
   */
  checkSector(url: string, redirectUris: readonly string[]): Promise<void>;
  clock: Clock;
}

/** A client's registration, as RFC 7591 §3.2.1 answers it. */
export type Registration = Record<string, unknown>;

/**
 * Registration by clients themselves (RFC 7591) and its management (RFC 7592).
 *
 * Each method throws a GatehouseError: `invalid_token`, `invalid_client_metadata` or `invalid_redirect_uri` with what is
 * wrong, `invalid_request`, and `overloaded` when too many clients are registered.
 */
export interface ClientRegistration {
  /** @param bearer the initial access token, or '' */
  create(metadata: ClientMetadata, bearer: string): Promise<Registration>;
  /** @param bearer the registration access token, here and below */
  read(id: string, bearer: string): Promise<Registration>;
  replace(id: string, metadata: ClientMetadata, bearer: string): Promise<Registration>;
  /** Deletes the client; everything that it was issued ends. */
  remove(id: string, bearer: string): Promise<void>;
}

/** How many clients may be registered at the same time. */
const mostRegistered = 10_000;

/** How large the metadata of one client may be as JSON: as much as any record that a caller leaves here. */
const mostBytes = 4096;

const badToken = (message: string) => new GatehouseError('invalid_token', message);

/** The metadata that are in force (RFC 7591 §3.2.1), by its names. */
function metadataOf(document: ClientDocument): Registration {
  const {
    client_id: _id,
    client_secret: _placeholder,
    ...metadata
  } = oidcMetadata(document, document.scopes);
  return metadata;
}

const usesSecret = ({ auth }: ClientDocument) => auth.startsWith('client_secret');

/** RFC 7592 §2.2: what a client may not send when it replaces its metadata. */
const notForReplacing = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
];

export function createClientRegistration(options: ClientRegistrationOptions): ClientRegistration {
  const { mode, endpoint, rules, store, unitOfWork, newEvent, clock } = options;

  const check = async (id: string, metadata: ClientMetadata): Promise<ClientDocument> => {
    if (Buffer.byteLength(JSON.stringify(keptMetadata(metadata))) > mostBytes)
      throw new GatehouseError(
        'invalid_client_metadata',
        `The metadata have more than ${mostBytes} bytes. Use jwks_uri in place of jwks, for example.`,
      );
    const checked = checkRegistration(id, metadata, rules);
    if (!checked.ok) {
      const isRedirect = checked.problems.some(({ field }) => field.startsWith('redirect_uris'));
      throw new GatehouseError(
        isRedirect ? 'invalid_redirect_uri' : 'invalid_client_metadata',
        describeMetadataProblems(checked.problems),
      );
    }
    const sector = metadata.sector_identifier_uri;
    if (typeof sector === 'string' && sector !== '')
      await options.checkSector(sector, checked.document.redirectUris).catch((cause: Error) => {
        if (cause instanceof GatehouseError) throw cause;
        const message = `sector_identifier_uri can't be used: ${cause.message}`;
        throw new GatehouseError('invalid_client_metadata', message, { cause });
      });
    return checked.document;
  };

  const changed = (what: 'added' | 'changed' | 'removed', id: string) =>
    newEvent(
      'clients.changed',
      'clients:registration',
      Object.assign({ source: 'registration', added: [], changed: [], removed: [] }, { [what]: [id] }),
    );

  /** RFC 7592 §3: a client that does not exist gets the same answer as a wrong token. */
  const managed = async (id: string, bearer: string): Promise<RegisteredClient> => {
    const client = await store.find(id, clock.now());
    if (client === undefined || !isDigestOf(client.accessTokenSha256, bearer))
      throw badToken('Send the registration access token of this client.');
    return client;
  };

  const answer = (client: RegisteredClient, document: ClientDocument, more: Registration): Registration =>
    Object.assign(
      { client_id: client.id, client_id_issued_at: Math.floor(client.createdAt / 1000) },
      metadataOf(document),
      { registration_client_uri: `${endpoint}/${client.id}` },
      more,
    );

  return {
    create: async (metadata, bearer) => {
      if (mode === 'initial-access-token' && !(await store.hasToken(sha256(bearer), clock.now())))
        throw badToken('Send an initial access token, which the operator of this server gives out.');
      const id = newId('registered');
      const document = await check(id, metadata);
      const [secret, accessToken] = [usesSecret(document) ? randomToken() : undefined, randomToken()];
      const createdAt = epochSeconds(clock) * 1000;
      const client: RegisteredClient = {
        id,
        metadata: keptMetadata(metadata),
        secretSha256: secret && sha256(secret),
        accessTokenSha256: sha256(accessToken),
        createdAt,
        expiresAt: createdAt + registrationMs.unused,
      };
      await unitOfWork.run(async ({ registeredClients, outbox }) => {
        const isStored = await registeredClients.add(client, { most: mostRegistered, now: clock.now() });
        if (!isStored)
          throw new GatehouseError('overloaded', 'Too many clients are registered. Try again later.', {
            retryAfterSeconds: 3600,
          });
        await outbox.append(changed('added', id));
      });
      const credentials = secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 };
      return answer(client, document, { ...credentials, registration_access_token: accessToken });
    },
    read: async (id, bearer) => {
      const client = await managed(id, bearer);
      const document = await check(id, client.metadata);
      return answer(client, document, { registration_access_token: bearer });
    },
    replace: async (id, metadata, bearer) => {
      const client = await managed(id, bearer);
      const extra = notForReplacing.find((name) => Object.hasOwn(metadata, name));
      if (extra !== undefined) throw new GatehouseError('invalid_request', `Leave out ${extra}.`);
      if (metadata.client_id !== id)
        throw new GatehouseError('invalid_request', 'client_id must be that of the registration.');
      const presented = metadata.client_secret;
      if (presented !== undefined && !isDigestOf(client.secretSha256, String(presented)))
        throw new GatehouseError('invalid_request', 'client_secret is not that of the client: leave it out.');
      const document = await check(id, metadata);
      const needsOne = usesSecret(document) && client.secretSha256 === undefined;
      const secret = needsOne ? randomToken() : undefined;
      const kept = usesSecret(document) ? client.secretSha256 : undefined;
      const secretSha256 = secret === undefined ? kept : sha256(secret);
      await unitOfWork.run(async ({ registeredClients, outbox }) => {
        if (!(await registeredClients.update({ id, metadata: keptMetadata(metadata), secretSha256 })))
          throw badToken('The client was deleted meanwhile.');
        await outbox.append(changed('changed', id));
      });
      const credentials = secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 };
      return answer(client, document, { ...credentials, registration_access_token: bearer });
    },
    remove: async (id, bearer) => {
      await managed(id, bearer);
      await removeRegistered(options, id);
    },
  };
}

/**
 * Deletes a client that registered itself, and revokes everything that it was issued, in one transaction.
 *
 * @returns whether there was such a client
 */
export async function removeRegistered(
  {
    unitOfWork,
    newEvent,
    endClients,
  }: Pick<ClientRegistrationOptions, 'unitOfWork' | 'newEvent' | 'endClients'>,
  id: string,
): Promise<boolean> {
  const spread = await unitOfWork.run(async (stores) => {
    if (!(await stores.registeredClients.remove(id))) return undefined;
    const difference = { source: 'registration', added: [], changed: [], removed: [id] };
    await stores.outbox.append(newEvent('clients.changed', 'clients:registration', difference));
    return endClients(stores, { deleted: [id], disabled: [] });
  });
  await spread?.();
  return spread !== undefined;
}

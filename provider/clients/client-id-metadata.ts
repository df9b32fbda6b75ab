import type { Clock } from '../lib/clock.ts';
import { GatehouseError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ClientDocument } from './client-document.ts';
import { clientIdUrlProblem, hostOfClientId, isUrl } from './client-id-url.ts';
import {
  describeMetadataProblems,
  documentOfMetadata,
  type RegistrationRules,
} from './registration-metadata.ts';

/** A fetched document, as it is stored. */
export interface StoredMetadata {
  /** The document as the host sent it. Each process checks it by its own settings. */
  text: string;
  /** Milliseconds since the epoch. */
  fetchedAt: number;
  /** Until when it is used without another request to its host; milliseconds since the epoch. */
  freshUntil: number;
}

/** The documents that all processes keep together. */
export interface StoredDocuments {
  find(id: string): Promise<StoredMetadata | undefined>;
  put(id: string, stored: StoredMetadata, seconds: number): Promise<void>;
  destroy(id: string): Promise<void>;
}

/** A failed request for a document. */
export interface FetchFailure extends Error {
  isTemporary: boolean;
}

export interface ClientIdMetadataOptions {
  /** GATEHOUSE_CLIENT_ID_METADATA_HOSTS. */
  hosts: readonly string[];
  rules: RegistrationRules;
  /** Fetches the document; throws `FetchFailure`. */
  fetchDocument(url: string): Promise<{ text: string; maxAgeSeconds: number | undefined }>;
  documents: StoredDocuments;
  /** Counts a request to a host before it is sent; throws a GatehouseError when there were too many. */
  countFetch(): Promise<void>;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'clientMetadataFetches'>;
}

/** The client may not be used. The message says why, for the developer of the client. */
export class ClientRefused extends Error {}

const unusable = (why: string) =>
  new ClientRefused(`the metadata document of this client can't be used: ${why}`);

/** Clients whose id is the URL of a document with their metadata (draft-ietf-oauth-client-id-metadata-document). */
export interface ClientIdMetadata {
  /** Gives the client if this process has looked it up before. */
  find(id: string): ClientDocument | undefined;
  /**
   * Gives the client with the metadata that are current: from this process, from the store, or from the client's host.
   * While the host is away, the last good document stays in use for a day. Undefined for an id that is no URL.
   *
   * @throws ClientRefused; a GatehouseError when too many documents were fetched or the store can't be reached
   */
  lookup(id: string): Promise<ClientDocument | undefined>;
  /** Whether a client with this id may have tokens: its host is allowed. */
  isAllowed(id: string): boolean;
  /** Never: such a client has no secret. */
  secretMatches(): boolean;
}

const hour = 3600;

/** How long a document is used before its host is asked again. The host's own `Cache-Control` decides within the bounds. */
const fresh = { leastSeconds: 300, usualSeconds: hour, mostSeconds: 24 * hour };

/** How much longer a document is used while its host does not answer. */
const staleSeconds = 24 * hour;

/** How soon a host that did not answer is asked again by this process. */
const retrySeconds = 60;

/** How many clients a process keeps in memory. */
const mostHeld = 1000;

interface Held {
  document: ClientDocument;
  /** When the store or the host must be asked again; milliseconds since the epoch. */
  askAgainAt: number;
}

const isTemporary = (error: unknown) =>
  error instanceof GatehouseError || (error as Partial<FetchFailure>).isTemporary === true;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Checks a document (draft §4). A client cannot share a secret with us in a public document.
 *
 * @throws ClientRefused with all problems
 */
function readDocument(id: string, text: string, rules: RegistrationRules): ClientDocument {
  const host = hostOfClientId(id) ?? '';
  const metadata = parseJson(text);
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw unusable('it is not a JSON object');
  const given = { ...metadata } as Record<string, unknown>;
  if (given.client_id !== id) throw unusable('its client_id is not the URL that it was fetched from');
  const secret = ['client_secret', 'client_secret_expires_at'].find((name) => Object.hasOwn(given, name));
  if (secret !== undefined) throw unusable(`it has ${secret}: a published document holds no secret`);
  const auth = ['none', 'private_key_jwt'] as const;
  const checked = documentOfMetadata(given, rules, { id, name: host, auth, isForAllServers: true });
  if (!checked.ok) throw unusable(describeMetadataProblems(checked.problems));
  return withoutForeignFace(checked.document, host);
}

/** A home page or a logo of another site would let the app look like that site. The consent page shows the host of the id. */
function withoutForeignFace(document: ClientDocument, host: string): ClientDocument {
  const own = (uri: string | undefined) =>
    uri !== undefined && new URL(uri).host === host ? uri : undefined;
  return { ...document, clientUri: own(document.clientUri), logoUri: own(document.logoUri) };
}

/** Looks clients up by the URL that is their id. */
export function createClientIdMetadata(options: ClientIdMetadataOptions): ClientIdMetadata {
  const { hosts, rules, documents, clock, logger, metrics } = options;
  const held = new Map<string, Held>();
  const running = new Map<string, Promise<ClientDocument>>();

  const hold = (id: string, document: ClientDocument, askAgainAt: number) => {
    held.delete(id);
    held.set(id, { document, askAgainAt });
    for (const oldest of held.keys()) {
      if (held.size <= mostHeld) break;
      held.delete(oldest);
    }
    return document;
  };

  /** @throws ClientRefused for a document that must not be used any more, and every other error of the fetch */
  const fetchNow = async (id: string): Promise<ClientDocument> => {
    await options.countFetch();
    const { text, maxAgeSeconds = fresh.usualSeconds } = await options.fetchDocument(id);
    const document = readDocument(id, text, rules);
    const freshSeconds = Math.min(fresh.mostSeconds, Math.max(fresh.leastSeconds, maxAgeSeconds));
    const fetchedAt = clock.now();
    const freshUntil = fetchedAt + freshSeconds * 1000;
    await documents.put(id, { text, fetchedAt, freshUntil }, freshSeconds + staleSeconds);
    metrics.clientMetadataFetches.inc({ outcome: 'fetched' });
    logger.info({ client: id, freshSeconds }, 'client id metadata document fetched');
    return hold(id, document, freshUntil);
  };

  /** The last good document, while its host or a limit keeps us from the next one. */
  const useStale = (id: string, { text }: StoredMetadata, error: Error): ClientDocument => {
    metrics.clientMetadataFetches.inc({ outcome: 'stale' });
    logger.warn(
      { client: id, reason: error.message },
      'client id metadata document could not be fetched, using the last good one',
    );
    return hold(id, readDocument(id, text, rules), clock.now() + retrySeconds * 1000);
  };

  const refresh = async (id: string): Promise<ClientDocument> => {
    const stored = await documents.find(id);
    if (stored && clock.now() < stored.freshUntil)
      return hold(id, readDocument(id, stored.text, rules), stored.freshUntil);
    try {
      return await fetchNow(id);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (stored && isTemporary(error)) return useStale(id, stored, error);
      if (error instanceof GatehouseError) throw error;
      held.delete(id);
      // The host said that the document is gone, or it is a bad one now: an older one must not be used.
      if (!isTemporary(error)) await documents.destroy(id);
      metrics.clientMetadataFetches.inc({ outcome: isTemporary(error) ? 'unreachable' : 'refused' });
      logger.warn({ client: id, reason: error.message }, 'client id metadata document refused');
      throw error instanceof ClientRefused ? error : unusable(error.message);
    }
  };

  return {
    find: (id) => held.get(id)?.document,
    secretMatches: () => false,
    isAllowed: (id) => isUrl(id) && clientIdUrlProblem(id, hosts) === undefined,
    lookup: async (id) => {
      if (!isUrl(id)) return undefined;
      const known = held.get(id);
      if (known && clock.now() < known.askAgainAt) return known.document;
      const problem = clientIdUrlProblem(id, hosts);
      if (problem !== undefined) throw new ClientRefused(`a client id that is a URL ${problem}`);
      const looked = running.get(id) ?? refresh(id).finally(() => running.delete(id));
      running.set(id, looked);
      return looked;
    },
  };
}

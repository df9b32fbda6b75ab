// This folder holds clients: the document that a person writes, its checks, the client secrets, and the registry of all
// clients in use. It makes no decisions about requests: grants, tokens and rate limits belong to the modules that use
// the registry. It reads no files and calls no stores: sources and secrets are ports.

import type { Clock } from '../lib/clock.ts';
import { ConfigurationError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import { withoutLoopbackPort } from '../lib/parse-url.ts';
import type { ClientSource } from '../ports/client-source.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { ClientDocument } from './client-document.ts';
import { createClientSecretCheck } from './client-secrets.ts';
import { isOriginOf, takesAnyLoopbackPort } from './client-uris.ts';
import { type OidcClientMetadata, oidcMetadata } from './oidc-metadata.ts';
import type { ClientProblem, DocumentSettings, KnownApi } from './parse-client-documents.ts';
import { singleFlight } from './single-flight.ts';
import { createSourceReport, type SourceReportOptions } from './source-report.ts';
import {
  type LoadedSource,
  loadSource,
  mergeSources,
  nextState,
  problemLines,
  reloadSource,
  type SourceState,
} from './source-state.ts';

export interface ClientRegistryOptions extends DocumentSettings, SourceReportOptions {
  /** In order of precedence: when two sources define the same id, the first one wins. */
  sources: readonly ClientSource[];
  apis: readonly KnownApi[];
  /** The scopes that the provider's own configuration lists: only these are named in a client's metadata. */
  protocolScopes: readonly string[];
  secrets: Secrets;
  clock: Clock;
  metrics: SourceReportOptions['metrics'] & Pick<Metrics, 'clientsLoaded'>;
  /**
   * Clients of Gatehouse itself. `find` gives them; lists and metrics do not contain them. No source can define their
   * ids.
   */
  builtIn?: readonly ClientDocument[] | undefined;
  /** Clients that are in no source. */
  others?: readonly OtherClients[] | undefined;
  /**
   * The client that `/auth/*` acts for when a request names none. It should be in a source and be first-party. If it is
   * not, the process starts nevertheless, because commands or the operator may write it later. The log reports it.
   */
  defaultClientId?: string | undefined;
  /** Called with the last good documents of each source after every load; must not throw. */
  loaded?: ((source: ClientSource, clients: readonly ClientDocument[]) => void) | undefined;
}

/**
 * Clients that are in no source: each is looked up when a request names it. Lists do not contain them. All of them are
 * third parties.
 */
export interface OtherClients {
  /** Gives the client if this process has looked it up. */
  find(id: string): ClientDocument | undefined;
  /** @throws ClientRefused with the reason why the client can't be used; a GatehouseError when it can't be looked up now */
  lookup(id: string): Promise<ClientDocument | undefined>;
  /** Whether there may be a client with this id. */
  isAllowed(id: string): boolean;
  /** Whether `presented` is the secret of the client. The comparison takes constant time. */
  secretMatches(id: string, presented: string): boolean;
}

/** The clients in use, from all sources. */
export interface ClientRegistry {
  /**
   * Gives the client with this id if it is enabled, also a built-in one. Only `lookup` finds a client of no source that
   * this process has not seen.
   */
  find(id: string): ClientDocument | undefined;
  /** Gives the client with this id, also a disabled one: for errors and for names on pages. */
  findAny(id: string): ClientDocument | undefined;
  /**
   * Like `findAny`, but looks further: a client whose id is a URL is fetched from there. After this, `find` gives it too.
   *
   * @throws ClientRefused with the reason why the client can't be used; a GatehouseError when it can't be looked up now
   */
  lookup(id: string): Promise<ClientDocument | undefined>;
  /** Whether a token with this client id may be one of ours, although `findAny` does not give the client. */
  mayBeThirdParty(id: string): boolean;
  /** Gives all clients except the built-in ones, also the disabled ones. */
  all(): readonly ClientDocument[];
  /**
   * Gives the client's metadata by the names of RFC 7591 §2, also of a built-in client. It is the same object as long
   * as `find` gives the same document, and undefined for a disabled client.
   */
  metadata(id: string): OidcClientMetadata | undefined;
  /** Whether `presented` is a secret of the client that is valid now. The comparison takes constant time. */
  secretMatches(id: string, presented: string): boolean;
  /**
   * Whether an enabled public client lists this origin, so that a browser may call from there (CORS). Confidential clients
   * do not run in a browser.
   */
  isAllowedOrigin(origin: string): boolean;
  /** Whether a browser may call from this origin for this client. */
  isOriginOf(client: ClientDocument, origin: string): boolean;
  /**
   * Loads all sources and secrets again. Never throws: problems are logged, and the last good documents stay in use.
   */
  reload(): Promise<void>;
  /** Reads all secrets again, but not the documents. Never throws. */
  refreshSecrets(): Promise<void>;
  /** Stops watching the sources; resolves when no load is running any more. */
  close(): Promise<void>;
}

function defaultClientProblems(client: ClientDocument | undefined, id: string | undefined): string[] {
  if (id === undefined) return [];
  if (client === undefined) return [`the default client ${id} is in no source: define it, or name another`];
  if (client.firstParty) return [];
  return [`the default client ${id} must be first-party: set "firstParty: true", or name another`];
}

/** The look-ups of one set of clients, computed once when the set changes. */
function createIndex(states: readonly SourceState[]) {
  const { clients, byId, ignored } = mergeSources(states);
  const all = [...byId.values()];
  const publicClients = all.filter(({ auth, enabled }) => auth === 'none' && enabled);
  const origins = new Set(publicClients.flatMap((client) => client.origins));
  const onAnyPort = publicClients.filter(takesAnyLoopbackPort);
  const loopbackOrigins = new Set(onAnyPort.flatMap((client) => client.origins.map(withoutLoopbackPort)));
  return { clients, byId, ignored, all, origins, loopbackOrigins };
}

/**
 * Loads all sources, then watches them. After a change that is not valid, the last good documents of that source stay
 * in use.
 *
 * @throws ConfigurationError with all problems of all sources; the source's own error, such as StoreUnavailable, when a
 *   source cannot be reached
 */
export async function createClientRegistry(options: ClientRegistryOptions): Promise<ClientRegistry> {
  const { sources, defaultClientId, builtIn = [], others = [] } = options;
  const secrets = createClientSecretCheck(options);
  const report = createSourceReport(options);
  const metadataOf = new WeakMap<ClientDocument, OidcClientMetadata>();
  let states = sources.map((): SourceState => ({ documents: [], problems: [] }));
  let index = createIndex(states);
  const findHere = (id: string) => index.byId.get(id) ?? builtIn.find((client) => client.id === id);
  const findAny = (id: string) => {
    const here = findHere(id);
    if (here !== undefined) return here;
    for (const other of others) {
      const found = other.find(id);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const find = (id: string) => {
    const client = findAny(id);
    return client?.enabled ? client : undefined;
  };
  const otherOf = (id: string) => others.find((other) => other.isAllowed(id));
  const defaultProblems = () => defaultClientProblems(index.byId.get(defaultClientId ?? ''), defaultClientId);

  /**
   * Reads all secrets and puts the loaded documents into use. Gives the secrets that could be read before but not now.
   */
  const update = async (loaded: readonly LoadedSource[]): Promise<ClientProblem[]> => {
    const candidates = [...loaded, ...states].flatMap(({ documents }) => documents);
    const { digests, missing, outdated } = await secrets.resolve(candidates);
    states = states.map((state, at) => {
      const [source, next] = [sources[at], loaded[at]];
      return source === undefined || next === undefined ? state : nextState(source, state, next, missing);
    });
    index = createIndex(states);
    secrets.use(index.clients, digests);
    return outdated;
  };
  const reportAll = (outdated: readonly ClientProblem[], loaded: boolean) => {
    for (const [at, given] of sources.entries()) {
      const { documents, problems } = states[at] ?? { documents: [], problems: [] };
      const source = given.name;
      const ignored = index.ignored[at] ?? [];
      const enabled = documents.filter(({ document }) => document.enabled);
      if (loaded)
        options.loaded?.(
          given,
          documents.map(({ document }) => document),
        );
      options.metrics.clientsLoaded.set(enabled.length - ignored.length, { source });
      const stale = problemLines(documents, outdated).map(
        (line) => `${line}; the value read last stays in use`,
      );
      report(source, [...problems, ...new Set(stale), ...ignored]);
    }
    report('default client', defaultProblems());
  };

  const first = await Promise.all(sources.map((source) => loadSource(source, options)));
  const outdated = await update(first);
  // A bad document in a store must not keep a process from its start. The log and a metric report it.
  const refused = states.filter((_, at) => !sources[at]?.eachByItself || first[at]?.refused === 'all');
  const fatal = refused.flatMap(({ problems }) => problems);
  if (fatal.length > 0) throw new ConfigurationError(fatal);
  reportAll(outdated, true);

  let closed = false;
  let reloadRequested = false;
  const run = singleFlight(async () => {
    if (closed) return;
    const loading = reloadRequested;
    reloadRequested = false;
    const loaded = loading ? await Promise.all(sources.map((source) => reloadSource(source, options))) : [];
    reportAll(await update(loaded), loading);
  });
  const reload = () => {
    reloadRequested = true;
    return run();
  };
  const stopWatching = sources.map((source) => source.watch(() => void reload()));

  return {
    find,
    findAny,
    lookup: async (id) => {
      const here = findHere(id);
      if (here !== undefined) return here;
      for (const other of others) {
        const found = await other.lookup(id);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    mayBeThirdParty: (id) => findHere(id) === undefined && otherOf(id) !== undefined,
    all: () => index.all,
    metadata: (id) => {
      const document = find(id);
      if (document === undefined) return undefined;
      const metadata = metadataOf.get(document) ?? oidcMetadata(document, options.protocolScopes);
      metadataOf.set(document, metadata);
      return metadata;
    },
    secretMatches: (id, presented) =>
      findHere(id) === undefined
        ? (otherOf(id)?.secretMatches(id, presented) ?? false)
        : secrets.matches(id, presented),
    isAllowedOrigin: (origin) => {
      if (index.origins.has(origin)) return true;
      const host = withoutLoopbackPort(origin);
      return host !== undefined && index.loopbackOrigins.has(host);
    },
    isOriginOf,
    reload,
    refreshSecrets: run,
    close: async () => {
      for (const stop of stopWatching) stop();
      closed = true;
      await run();
    },
  };
}

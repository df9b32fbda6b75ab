import type { Clock } from '../lib/clock.ts';
import { ConfigurationError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ClientSource } from '../ports/client-source.ts';
import type { Secrets } from '../ports/secrets.ts';
import { type ClientDocument, oidcScopes } from './client-document.ts';
import { createClientSet, type SourceReport } from './client-set.ts';
import { oidcMetadata } from './oidc-metadata.ts';
import type { DocumentSettings, KnownApi } from './parse-client-documents.ts';
import { singleFlight } from './single-flight.ts';
import { loadOffer, tryOffer } from './source-state.ts';

export interface ClientRegistryDeps extends DocumentSettings {
  /** In order of precedence: of two that claim an id, the first has it. */
  sources: readonly ClientSource[];
  apis: readonly KnownApi[];
  secrets: Secrets;
  clock: Clock;
  logger: Pick<Logger, 'info' | 'warn'>;
  metrics: Pick<Metrics, 'clientsLoaded' | 'clientsReloadFailures' | 'clientsStale'>;
  /** Clients of our own: found like others, but in no list and no metric. No source can hold one of their ids. */
  builtIn?: readonly ClientDocument[] | undefined;
  /** For whom `/auth/*` acts when a request names no client. */
  defaultClientId?: string | undefined;
  /** Told the last good set of each source whenever it was loaded; must not throw. */
  loaded?: ((source: string, clients: readonly ClientDocument[]) => void) | undefined;
}

/** The clients of all sources. */
export interface ClientRegistry {
  find(id: string): ClientDocument | undefined;
  /** Without those that are built in. */
  all(): ClientDocument[];
  /** Stub, replaced at the merge. */
  metadata(id: string): Record<string, unknown> | undefined;
  /** Undefined when configuration names none, or none that is there and first-party. */
  defaultClient(): ClientDocument | undefined;
  /** Whether `presented` is a live secret of the client; constant time. */
  secretMatches(clientId: string, presented: string): boolean;
  /** Loads all sources and secrets again. Never throws: what is bad is logged, and the last good stays in use. */
  reload(): Promise<void>;
  /** Reads the secrets again that documents refer to, without loading the documents. Never throws. */
  refreshSecrets(): Promise<void>;
  /** Stops watching; resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** Counts what is wrong every time; says it once, and once again when it is mended. */
function createReport({ logger, metrics }: Pick<ClientRegistryDeps, 'logger' | 'metrics'>) {
  const last = new Map<string, string>();
  return (source: string, problems: readonly string[]): void => {
    metrics.clientsStale.set(problems.length > 0 ? 1 : 0, { source });
    if (problems.length > 0) metrics.clientsReloadFailures.inc({ source });
    const text = problems.join('\n');
    if (text === (last.get(source) ?? '')) return;
    last.set(source, text);
    if (text === '') logger.info({ source }, 'client documents are in use again');
    else logger.warn({ source, problems }, 'client documents have problems, keeping the last good ones');
  };
}

function defaultClientProblems(client: ClientDocument | undefined, id: string | undefined): string[] {
  if (id === undefined) return [];
  if (client === undefined) return [`the default client ${id} is in no source: define it, or name another`];
  if (client.firstParty) return [];
  return [`the default client ${id} must be first-party: set "firstParty: true", or name another`];
}

/**
 * Loads all sources, and watches them from then on. A change that is bad leaves the last good set of that
 * source in use.
 *
 * @throws ConfigurationError with all problems of all sources; StoreUnavailable and the like when a source
 *   can't be reached.
 */
export async function createClientRegistry(deps: ClientRegistryDeps): Promise<ClientRegistry> {
  const { sources, defaultClientId, builtIn = [] } = deps;
  const set = createClientSet(deps);
  const report = createReport(deps);
  const find = (id: string) => set.clients().get(id)?.document;
  const namedDefault = () => (defaultClientId === undefined ? undefined : find(defaultClientId));
  const defaultProblems = () => defaultClientProblems(namedDefault(), defaultClientId);

  const first = await set.apply(await Promise.all(sources.map((source) => loadOffer(source, deps))));
  const fatal = [...first.flatMap(({ refused }) => refused), ...defaultProblems()];
  if (fatal.length > 0) throw new ConfigurationError(fatal);

  const reportAll = (reports: readonly SourceReport[], loaded: boolean) => {
    for (const [index, { refused, notes, inUse, documents }] of reports.entries()) {
      const source = sources[index]?.name ?? '';
      if (loaded) deps.loaded?.(source, documents);
      deps.metrics.clientsLoaded.set(inUse, { source });
      report(source, [...refused, ...notes]);
    }
    report('default client', defaultProblems());
  };
  reportAll(first, true);

  let closed = false;
  let sourcesWanted = false;
  const run = singleFlight(async () => {
    if (closed) return;
    const loading = sourcesWanted;
    sourcesWanted = false;
    const offers = loading ? await Promise.all(sources.map((source) => tryOffer(source, deps))) : [];
    reportAll(await set.apply(offers), loading);
  });
  const reload = () => {
    sourcesWanted = true;
    return run();
  };
  const unwatch = sources.map((source) => source.watch(() => void reload()));

  return {
    find: (id) => find(id) ?? builtIn.find((client) => client.id === id),
    metadata: (id) => {
      const client = find(id) ?? builtIn.find((one) => one.id === id);
      return client && { ...oidcMetadata(client, oidcScopes) };
    },
    all: () => [...set.clients().values()].map(({ document }) => document),
    defaultClient: () => (namedDefault()?.firstParty ? namedDefault() : undefined),
    secretMatches: set.secretMatches,
    reload,
    refreshSecrets: run,
    close: async () => {
      for (const stop of unwatch) stop();
      closed = true;
      await run();
    },
  };
}

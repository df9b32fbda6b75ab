import { type ClientSource, ClientSourceUnreadable } from '../ports/client-source.ts';
import type { ClientDocument } from './client-document.ts';
import {
  type ClientProblem,
  type DocumentSettings,
  describeClientProblem,
  type KnownApi,
  type LocatedDocument,
  parseClientDocuments,
} from './parse-client-documents.ts';

/** The state of one source after the last load. */
export interface SourceState {
  /** The last good documents. */
  documents: readonly LocatedDocument[];
  /** The reasons why the latest documents of the source are not used; empty when they are used. */
  problems: readonly string[];
}

/** The result of one load. */
export interface LoadedSource extends SourceState {
  /** The ids of the documents with problems, if the others count nevertheless. `all`: no document counts. */
  refused: 'all' | ReadonlySet<string>;
}

/** The APIs and settings that documents are checked against. */
type Known = DocumentSettings & { apis: readonly KnownApi[] };

const allRefused = (problems: readonly string[]): LoadedSource => ({
  documents: [],
  problems,
  refused: 'all',
});

/**
 * Loads a source and checks its documents, and lists all problems. If a document has a problem, it is not used; and no
 * other document either, unless the source's documents count each by itself.
 *
 * @throws the source's error when it cannot be reached; a retry may succeed
 */
export async function loadSource(source: ClientSource, known: Known): Promise<LoadedSource> {
  try {
    const parsed = parseClientDocuments(await source.load(), known.apis, known);
    if (parsed.ok) return { documents: parsed.documents, problems: [], refused: new Set() };
    const problems = parsed.problems.map(describeClientProblem);
    if (!source.eachByItself) return allRefused(problems);
    const refused = new Set(parsed.problems.flatMap(({ clientId }) => clientId ?? []));
    return { documents: parsed.documents, problems, refused };
  } catch (error) {
    if (!(error instanceof ClientSourceUnreadable)) throw error;
    const parsed = parseClientDocuments(error.readable, known.apis, known);
    const more = parsed.ok ? [] : parsed.problems.map(describeClientProblem);
    return allRefused([...error.message.split('\n'), ...more]);
  }
}

/** Like `loadSource`, but never throws: a source that cannot be reached is listed as a problem. */
export async function reloadSource(source: ClientSource, known: Known): Promise<LoadedSource> {
  try {
    return await loadSource(source, known);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return allRefused([`${source.name} can't be loaded: ${reason}`]);
  }
}

/** Gives the problems that concern any of the given documents. */
function ownProblems(
  documents: readonly LocatedDocument[],
  problems: readonly ClientProblem[],
): ClientProblem[] {
  const key = (origin: string, id: string | undefined) => `${origin}\0${id}`;
  const own = new Set(documents.map(({ origin, document }) => key(origin, document.id)));
  return problems.filter(({ origin, clientId }) => own.has(key(origin, clientId)));
}

/** Gives the problems that concern any of the given documents, as lines of text. */
export const problemLines = (
  documents: readonly LocatedDocument[],
  problems: readonly ClientProblem[],
): string[] => ownProblems(documents, problems).map(describeClientProblem);

/**
 * Gives the state after a load. When the load has problems, the last good documents stay in use: all of them, or, if
 * the source's documents count each by itself, those of the clients that have problems.
 *
 * @param missing secrets that could not be read now or before. A document that needs one of them has a problem.
 */
export function nextState(
  source: Pick<ClientSource, 'eachByItself'>,
  current: SourceState,
  loaded: LoadedSource,
  missing: readonly ClientProblem[],
): SourceState {
  const unread =
    loaded.problems.length > 0 && !source.eachByItself ? [] : ownProblems(loaded.documents, missing);
  const problems = [...loaded.problems, ...unread.map(describeClientProblem)];
  if (problems.length === 0) return loaded;
  if (loaded.refused === 'all' || !source.eachByItself) return { documents: current.documents, problems };
  const unusable = new Set(unread.map(({ clientId }) => clientId));
  const { refused } = loaded;
  const kept = current.documents.filter(({ document: { id } }) => refused.has(id) || unusable.has(id));
  const good = loaded.documents.filter(({ document }) => !unusable.has(document.id));
  return { documents: [...good, ...kept], problems };
}

interface MergedSources {
  clients: readonly LocatedDocument[];
  byId: ReadonlyMap<string, ClientDocument>;
  /** For each source, a line for each of its clients that an earlier source defines too. */
  ignored: string[][];
}

/**
 * Merges the clients of all sources. When two sources define the same id, the first source wins, also with a client
 * that is disabled.
 */
export function mergeSources(states: readonly SourceState[]): MergedSources {
  const winners = new Map<string, LocatedDocument>();
  const ignored = states.map(({ documents }) => {
    const lines: string[] = [];
    for (const located of documents) {
      const { id } = located.document;
      const first = winners.get(id);
      if (first === undefined) winners.set(id, located);
      else lines.push(`${located.origin}: client ${id}: ignored, because ${first.origin} defines it too`);
    }
    return lines;
  });
  const clients = [...winners.values()];
  return { clients, byId: new Map(clients.map(({ document }) => [document.id, document])), ignored };
}

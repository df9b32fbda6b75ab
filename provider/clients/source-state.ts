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

/** The APIs and settings that documents are checked against. */
type Known = DocumentSettings & { apis: readonly KnownApi[] };

const bad = (problems: readonly string[]): SourceState => ({ documents: [], problems });

/**
 * Loads a source and checks its documents. If any document has a problem, no document is used and all problems are
 * listed.
 *
 * @throws the source's error when it cannot be reached; a retry may succeed
 */
export async function loadSource(source: ClientSource, known: Known): Promise<SourceState> {
  try {
    const parsed = parseClientDocuments(await source.load(), known.apis, known);
    return parsed.ok
      ? { documents: parsed.documents, problems: [] }
      : bad(parsed.problems.map(describeClientProblem));
  } catch (error) {
    if (!(error instanceof ClientSourceUnreadable)) throw error;
    const parsed = parseClientDocuments(error.readable, known.apis, known);
    const more = parsed.ok ? [] : parsed.problems.map(describeClientProblem);
    return bad([...error.message.split('\n'), ...more]);
  }
}

/** Like `loadSource`, but never throws: a source that cannot be reached is listed as a problem. */
export async function reloadSource(source: ClientSource, known: Known): Promise<SourceState> {
  try {
    return await loadSource(source, known);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return bad([`${source.name} can't be loaded: ${reason}`]);
  }
}

/** Gives the problems that concern any of the given documents, as lines of text. */
export function problemLines(
  documents: readonly LocatedDocument[],
  problems: readonly ClientProblem[],
): string[] {
  const key = (origin: string, id: string | undefined) => `${origin}\0${id}`;
  const own = new Set(documents.map(({ origin, document }) => key(origin, document.id)));
  return problems.filter(({ origin, clientId }) => own.has(key(origin, clientId))).map(describeClientProblem);
}

/**
 * Gives the state after a reload. When the reload has problems, the last good documents stay in use.
 *
 * @param missing secrets that could not be read now or before. A document that needs one of them makes the reload fail.
 */
export function nextState(
  current: SourceState,
  loaded: SourceState,
  missing: readonly ClientProblem[],
): SourceState {
  const problems = loaded.problems.length > 0 ? loaded.problems : problemLines(loaded.documents, missing);
  return problems.length > 0 ? { documents: current.documents, problems } : loaded;
}

interface MergedSources {
  clients: readonly LocatedDocument[];
  byId: ReadonlyMap<string, ClientDocument>;
  /** For each source, a line for each of its clients that an earlier source defines too. */
  ignored: string[][];
}

/** Merges the clients of all sources. When two sources define the same id, the first source wins. */
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

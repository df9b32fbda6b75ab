import { type ClientSource, ClientSourceUnreadable } from '../ports/client-source.ts';
import {
  type ClientProblem,
  type DocumentSettings,
  describeClientProblem,
  type KnownApi,
  type ParsedClient,
  parseClientDocuments,
} from './parse-client-documents.ts';

/** A source, the last good set of its clients, and why what it holds now isn't in use (empty: it is). */
export interface SourceState {
  readonly source: ClientSource;
  good: readonly ParsedClient[];
  refused: readonly string[];
}

/** What a source has to offer now: a set to take over, or reasons to stay with the last one. */
export type Offer = { ok: true; clients: readonly ParsedClient[] } | { ok: false; problems: string[] };

/** What documents are held against. */
type Known = DocumentSettings & { apis: readonly KnownApi[] };

/** Loads and checks a source. Throws only what a retry may mend, such as a store that can't be reached. */
export async function loadOffer(source: ClientSource, known: Known): Promise<Offer> {
  try {
    const parsed = parseClientDocuments(await source.load(), known.apis, known);
    return parsed.ok ? parsed : { ok: false, problems: parsed.problems.map(describeClientProblem) };
  } catch (error) {
    if (error instanceof ClientSourceUnreadable) return { ok: false, problems: [error.message] };
    throw error;
  }
}

/** The same, but never throws: while running, what can't be loaded leaves the last good set in use. */
export async function tryOffer(source: ClientSource, known: Known): Promise<Offer> {
  try {
    return await loadOffer(source, known);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [`${source.name} can't be loaded: ${reason}`] };
  }
}

/** Takes the offer over, unless a client in it refers to a secret that was never readable. */
export function takeOver(state: SourceState, offer: Offer, missing: readonly ClientProblem[]): void {
  if (!offer.ok) {
    state.refused = offer.problems;
    return;
  }
  const key = (origin: string, id: string | undefined) => `${origin}\0${id}`;
  const own = new Set(offer.clients.map(({ origin, document }) => key(origin, document.id)));
  const unreadable = missing.filter(({ origin, clientId }) => own.has(key(origin, clientId)));
  state.refused = unreadable.map(describeClientProblem);
  if (unreadable.length === 0) state.good = offer.clients;
}

export interface MergedClients {
  clients: Map<string, ParsedClient>;
  /** Of each source, in their order, the clients it lost to an earlier one. */
  conflicts: string[][];
}

/** One set from all sources, in their order: of two that claim an id, the first has it. */
export function mergeSources(states: readonly SourceState[]): MergedClients {
  const clients = new Map<string, ParsedClient>();
  const conflicts = states.map(({ good }) => {
    const lost: string[] = [];
    for (const client of good) {
      const { id } = client.document;
      const first = clients.get(id);
      if (first === undefined) clients.set(id, client);
      else lost.push(`${client.origin}: client ${id}: ignored, because ${first.origin} defines it too`);
    }
    return lost;
  });
  return { clients, conflicts };
}

import type { Clock } from '../lib/clock.ts';
import type { ClientSource } from '../ports/client-source.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { ClientDocument } from './client-document.ts';
import { createClientSecretCheck } from './client-secrets.ts';
import { describeClientProblem, type ParsedClient } from './parse-client-documents.ts';
import { mergeSources, type Offer, type SourceState, takeOver } from './source-state.ts';

/** What is wrong with a source. */
export interface SourceReport {
  /** Why what it holds now isn't in use; empty when it is. */
  refused: readonly string[];
  /** What needs attention though it is in use: a client that another source defines too, a secret gone unreadable. */
  notes: readonly string[];
  /** How many clients are in use from it. */
  inUse: number;
  /** Its last good set, with those that another source has. */
  documents: readonly ClientDocument[];
}

/** The clients in use, from all sources, with the digests of their secrets. */
export interface ClientSet {
  clients(): ReadonlyMap<string, ParsedClient>;
  /** Whether `presented` is a live secret of the client; constant time. */
  secretMatches(clientId: string, presented: string): boolean;
  /**
   * Takes over what is good of the offers, one for each source in order (undefined: nothing new), and reads
   * all secrets. Gives a report for each source. Never throws; calls must not overlap.
   */
  apply(offers: readonly (Offer | undefined)[]): Promise<SourceReport[]>;
}

/** @param deps.sources in order of precedence: of two that claim an id, the first has it */
export function createClientSet(deps: {
  sources: readonly ClientSource[];
  secrets: Secrets;
  clock: Clock;
}): ClientSet {
  const check = createClientSecretCheck(deps);
  const states = deps.sources.map((source): SourceState => ({ source, good: [], refused: [] }));
  let clients = new Map<string, ParsedClient>();

  return {
    clients: () => clients,
    secretMatches: check.matches,
    async apply(offers) {
      const offered = offers.flatMap((offer) => (offer?.ok ? offer.clients : []));
      const resolved = await check.resolve([...offered, ...states.flatMap(({ good }) => good)]);
      for (const [index, state] of states.entries()) {
        const offer = offers[index];
        if (offer !== undefined) takeOver(state, offer, resolved.missing);
      }
      const merged = mergeSources(states);
      clients = merged.clients;
      check.use([...clients.values()], resolved.digests);
      return states.map(({ good, refused }, index) => {
        const own = new Set(good.map(({ origin, document }) => `${origin}\0${document.id}`));
        const outdated = resolved.outdated
          .filter(({ origin, clientId }) => own.has(`${origin}\0${clientId}`))
          .map((problem) => `${describeClientProblem(problem)}; the value read last stays in use`);
        const lost = merged.conflicts[index] ?? [];
        const documents = good.map(({ document }) => document);
        return {
          refused,
          notes: [...new Set(outdated), ...lost],
          inUse: good.length - lost.length,
          documents,
        };
      });
    },
  };
}

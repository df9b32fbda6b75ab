import type { Deployment } from './deployment.ts';

/** An event as the sink `stdout` writes it. */
export interface PublishedEvent {
  id: string;
  type: string;
  time: string;
  version: number;
  subject: string;
  sequence: number;
  data: Record<string, unknown>;
}

/** The events in what processes wrote to standard output, in order of time. An event that was published twice comes twice. */
export const eventsIn = (outputs: readonly string[]): PublishedEvent[] =>
  outputs
    .flatMap((output) => output.split('\n'))
    .filter((line) => line.startsWith('{"id":"evt_') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as PublishedEvent)
    .sort((one, other) => one.time.localeCompare(other.time));

/** The events that all processes have published so far. */
export const publishedEvents = ({ programs }: Pick<Deployment, 'programs'>): PublishedEvent[] =>
  eventsIn(programs.map((program) => program.stdout()));

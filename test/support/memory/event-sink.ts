import type { DeliveryResult, EventSink } from '../../../provider/ports/event-sink.ts';
import type { SequencedEvent } from '../../../provider/ports/outbox.ts';

/** Collects events. A test can make it fail. */
export class MemoryEventSink implements EventSink {
  /** The published events, in order. An event that was published twice is here twice. */
  readonly published: SequencedEvent[] = [];
  #decide: (event: SequencedEvent) => DeliveryResult['outcome'] = () => 'published';
  #problem: string | undefined;

  /** Decides the outcome for each event from now on. */
  decide(outcome: (event: SequencedEvent) => DeliveryResult['outcome']): void {
    this.#decide = outcome;
  }

  /** Makes every call throw, until a test calls this method without a problem. */
  goDown(problem?: string): void {
    this.#problem = problem;
  }

  async publish(events: SequencedEvent[]): Promise<DeliveryResult[]> {
    if (this.#problem !== undefined) throw new Error(this.#problem);
    return events.map((event) => this.#deliver(event));
  }

  #deliver(event: SequencedEvent): DeliveryResult {
    const { id } = event;
    const outcome = this.#decide(event);
    if (outcome !== 'published') return { id, outcome, reason: `told to answer '${outcome}'` };
    this.published.push(structuredClone(event));
    return { id, outcome };
  }
}

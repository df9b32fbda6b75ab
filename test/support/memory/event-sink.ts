import type { DeliveryResult, EventSink, PublishedEvent } from '../../../provider/ports/event-sink.ts';

/** Collects events. A test can make it fail. */
export class MemoryEventSink implements EventSink {
  /** The published events, in order. An event that was published twice is here twice. */
  readonly published: PublishedEvent[] = [];
  #decide: (event: PublishedEvent) => DeliveryResult['outcome'] = () => 'published';
  #problem: string | undefined;

  /** Decides the outcome for each event from now on. */
  decide(outcome: (event: PublishedEvent) => DeliveryResult['outcome']): void {
    this.#decide = outcome;
  }

  /** Makes every call throw, until a test calls this method without a problem. */
  goDown(problem?: string): void {
    this.#problem = problem;
  }

  async publish(events: PublishedEvent[]): Promise<DeliveryResult[]> {
    if (this.#problem !== undefined) throw new Error(this.#problem);
    return events.map((event) => this.#deliver(event));
  }

  #deliver(event: PublishedEvent): DeliveryResult {
    const { id } = event;
    const outcome = this.#decide(event);
    if (outcome !== 'published') return { id, outcome, reason: `told to answer '${outcome}'` };
    this.published.push(structuredClone(event));
    return { id, outcome };
  }
}

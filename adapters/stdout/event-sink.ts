import type { DeliveryResult, EventSink, PublishedEvent } from '../../provider/ports/event-sink.ts';

export interface StdoutEventSinkOptions {
  /** Writes one line with its line feed. Throws or rejects when it cannot. The result is not used. */
  write(line: string): unknown;
}

/** Writes one line of JSON for each event. `time` is in ISO 8601. */
export class StdoutEventSink implements EventSink {
  readonly #write: StdoutEventSinkOptions['write'];

  constructor({ write }: StdoutEventSinkOptions) {
    this.#write = write;
  }

  async publish(events: PublishedEvent[]): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = [];
    for (const event of events) results.push(await this.#publishOne(event));
    return results;
  }

  async #publishOne(event: PublishedEvent): Promise<DeliveryResult> {
    try {
      await this.#write(`${JSON.stringify(event)}\n`);
      return { id: event.id, outcome: 'published' };
    } catch (error) {
      return { id: event.id, outcome: 'failed', reason: String(error) };
    }
  }
}

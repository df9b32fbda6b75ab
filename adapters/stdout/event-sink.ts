import { type DeliveryResult, type EventSink, eventJson } from '../../provider/ports/event-sink.ts';
import type { SequencedEvent } from '../../provider/ports/outbox.ts';

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

  async publish(events: SequencedEvent[]): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = [];
    for (const event of events) results.push(await this.#publishOne(event));
    return results;
  }

  async #publishOne(event: SequencedEvent): Promise<DeliveryResult> {
    try {
      await this.#write(`${eventJson(event)}\n`);
      return { id: event.id, outcome: 'published' };
    } catch (error) {
      return { id: event.id, outcome: 'failed', reason: String(error) };
    }
  }
}

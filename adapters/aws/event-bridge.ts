import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import type { DeliveryResult, EventSink, PublishedEvent } from '../../provider/ports/event-sink.ts';

export interface EventBridgeSinkOptions {
  /** The name or the ARN of the event bus. The region of an ARN takes precedence over the configured region. */
  bus: string;
  /** Settings of the AWS client. The default is the environment and the identity of the pod. */
  client?: EventBridgeClientConfig;
  /** A call that has no answer after this time has failed, in milliseconds. The default is 5,000. */
  callMs?: number;
  /** All calls of one `publish` together end after this time, in milliseconds. The default is 45,000. */
  publishMs?: number;
}

/** What a consumer's rule can match, beside the type. */
const source = 'gatehouse';

/** The limits of one PutEvents call. The size is that of all entries together. */
const mostEntries = 10;
const mostBytes = 256 * 1024;

/** The size that AWS calculates for the time of an entry. */
const timeBytes = 14;

/** Errors that concern the content of the event. All others can end without a change of the event. */
const refusals = new Set(['InvalidArgument', 'MalformedDetail']);

interface Sized {
  event: PublishedEvent;
  entry: PutEventsRequestEntry;
  bytes: number;
}

/**
 * Publishes to an EventBridge bus with PutEvents: `Source` is `gatehouse`, `DetailType` is the event's type, and
 * `Detail` is the event's JSON. The calls of one `publish` run in parallel. The client does not retry: the caller retries
 * the events that failed.
 */
export class EventBridgeSink implements EventSink {
  readonly #client: EventBridgeClient;
  readonly #bus: string;
  readonly #publishMs: number;

  constructor({ bus, client, callMs = 5_000, publishMs = 45_000 }: EventBridgeSinkOptions) {
    const region = bus.startsWith('arn:') ? bus.split(':')[3] : undefined;
    this.#client = new EventBridgeClient({
      ...client,
      ...(region !== undefined && { region }),
      maxAttempts: 1,
      requestHandler: { connectionTimeout: callMs, requestTimeout: callMs, throwOnRequestTimeout: true },
    });
    this.#bus = bus;
    this.#publishMs = publishMs;
  }

  /** Gives the region to which events are sent. Rejects when none is configured. */
  region(): Promise<string> {
    return this.#client.config.region();
  }

  async publish(events: PublishedEvent[]): Promise<DeliveryResult[]> {
    const ending = AbortSignal.timeout(this.#publishMs);
    const sized = events.map((event) => this.#sized(event));
    const results = sized.filter(({ bytes }) => bytes > mostBytes).map(tooLarge);
    const accepted = calls(sized.filter(({ bytes }) => bytes <= mostBytes));
    results.push(...(await Promise.all(accepted.map((call) => this.#put(call, ending)))).flat());
    return results;
  }

  close(): void {
    this.#client.destroy();
  }

  #sized(event: PublishedEvent): Sized {
    const entry = {
      EventBusName: this.#bus,
      Source: source,
      DetailType: event.type,
      Time: new Date(event.time),
      Detail: JSON.stringify(event),
    };
    const bytes =
      timeBytes +
      Buffer.byteLength(entry.Source) +
      Buffer.byteLength(entry.DetailType) +
      Buffer.byteLength(entry.Detail);
    return { event, entry, bytes };
  }

  async #put(call: Sized[], ending: AbortSignal): Promise<DeliveryResult[]> {
    try {
      const command = new PutEventsCommand({ Entries: call.map(({ entry }) => entry) });
      const { Entries = [] } = await this.#client.send(command, { abortSignal: ending });
      return call.map(({ event }, at) => resultOf(event, Entries[at]));
    } catch (error) {
      // One bad entry makes AWS refuse the whole call. Alone, the good entries are accepted.
      if (call.length > 1 && isValidation(error)) return this.#putAlone(call, ending);
      const reason = describe(error);
      return call.map(({ event }) => ({ id: event.id, outcome: 'failed', reason }));
    }
  }

  async #putAlone(call: Sized[], ending: AbortSignal): Promise<DeliveryResult[]> {
    const results: DeliveryResult[] = [];
    for (const one of call) results.push(...(await this.#put([one], ending)));
    return results;
  }
}

/** Divides entries into calls within both limits, in the same order. */
function calls(sized: Sized[]): Sized[][] {
  const found: Sized[][] = [];
  let bytes = 0;
  for (const one of sized) {
    const last = found.at(-1);
    if (last !== undefined && last.length < mostEntries && bytes + one.bytes <= mostBytes) {
      last.push(one);
      bytes += one.bytes;
    } else {
      found.push([one]);
      bytes = one.bytes;
    }
  }
  return found;
}

function tooLarge({ event, bytes }: Sized): DeliveryResult {
  const reason = `the event has ${bytes} bytes, and EventBridge accepts at most ${mostBytes}`;
  return { id: event.id, outcome: 'rejected', reason };
}

/** AWS gives the results in the order of the entries. */
function resultOf({ id }: PublishedEvent, result: PutEventsResultEntry | undefined): DeliveryResult {
  if (result?.EventId) return { id, outcome: 'published' };
  const code = result?.ErrorCode;
  const reason = [code ?? 'EventBridge gave no result', result?.ErrorMessage].filter(Boolean).join(': ');
  return { id, outcome: code !== undefined && refusals.has(code) ? 'rejected' : 'failed', reason };
}

const isValidation = (error: unknown) => error instanceof Error && error.name === 'ValidationException';

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.includes(error.name) ? error.message : `${error.name}: ${error.message}`;
}

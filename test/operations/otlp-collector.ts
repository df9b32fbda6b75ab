import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  /** 1 for internal, 2 for a server's (opentelemetry.proto.trace.v1.Span.SpanKind). */
  kind: number;
  attributes: Record<string, string>;
  failed: boolean;
}

export interface OtlpCollector {
  url: string;
  /** All received spans. */
  spans(): SentSpan[];
  /** The service names of the received spans. */
  services(): string[];
  /** All received bodies, to check that they contain no secrets. */
  text(): string;
  close(): Promise<void>;
}

/** A collector on loopback that receives traces by OTLP over HTTP, in protobuf. */
export async function startCollector(): Promise<OtlpCollector> {
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const right =
      request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf';
    if (right) bodies.push(Buffer.concat(chunks));
    response.writeHead(right ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const groups = () => bodies.flatMap((body) => messagesOf(body, 1));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () =>
      groups().flatMap((group) => messagesOf(group, 2).flatMap((scope) => messagesOf(scope, 2).map(spanOf))),
    services: () =>
      groups().map(
        (group) => attributesOf(messagesOf(group, 1)[0] ?? Buffer.alloc(0), 1)['service.name'] ?? '',
      ),
    text: () => Buffer.concat(bodies).toString('latin1'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The fields of a protobuf message. Only numbers and length-delimited bytes are supported. */
function fieldsOf(message: Buffer): [field: number, value: number | Buffer][] {
  const fields: [number, number | Buffer][] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const [field, type] = [key >> 3, key & 7];
    if (type === 0) fields.push([field, varint()]);
    else if (type === 2) {
      const length = varint();
      fields.push([field, message.subarray(at, at + length)]);
      at += length;
    } else at += type === 1 ? 8 : 4;
  }
  return fields;
}

const messagesOf = (message: Buffer, wanted: number): Buffer[] =>
  fieldsOf(message).flatMap(([field, value]) => (field === wanted && Buffer.isBuffer(value) ? [value] : []));

const textOf = (message: Buffer, wanted: number) => messagesOf(message, wanted)[0]?.toString('utf8') ?? '';

const numberOf = (message: Buffer, wanted: number) =>
  Number(fieldsOf(message).find(([field]) => field === wanted)?.[1] ?? 0);

/** KeyValue {key = 1, value = 2}; AnyValue {string = 1, int = 3}. */
function attributesOf(message: Buffer, wanted: number): Record<string, string> {
  const pairs = messagesOf(message, wanted).map((pair) => {
    const value = messagesOf(pair, 2)[0] ?? Buffer.alloc(0);
    return [textOf(pair, 1), textOf(value, 1) || String(numberOf(value, 3))];
  });
  return Object.fromEntries(pairs);
}

/** Span {trace_id = 1, span_id = 2, parent_span_id = 4, name = 5, kind = 6, attributes = 9, status = 15 {code = 3}}. */
function spanOf(span: Buffer): SentSpan {
  const hex = (field: number) => messagesOf(span, field)[0]?.toString('hex') ?? '';
  const status = messagesOf(span, 15)[0] ?? Buffer.alloc(0);
  return {
    traceId: hex(1),
    spanId: hex(2),
    parentSpanId: hex(4),
    name: textOf(span, 5),
    kind: numberOf(span, 6),
    attributes: attributesOf(span, 9),
    failed: numberOf(status, 3) === 2,
  };
}

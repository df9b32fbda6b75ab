import { connect } from 'node:net';

/** One answer as it was received from the socket. */
export interface RawAnswer {
  /** 0 if the connection was closed without an answer. */
  status: number;
  /** Names are in lower case. A repeated header has all its values. */
  headers: Record<string, string[]>;
  body: string;
}

/** A request, valid or not, as any program might send it. `Host` and `Connection: close` are added unless given. */
export interface Sent {
  method?: string;
  /** The request target, exactly as it is sent. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** The bytes of a request. Nothing is escaped or checked. */
export function requestBytes({ method = 'GET', path, headers = {}, body }: Sent): Buffer {
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (!names.has('host')) lines.unshift('Host: localhost');
  if (!names.has('connection')) lines.push('Connection: close');
  if (body !== undefined && !names.has('content-length') && !names.has('transfer-encoding'))
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([head, Buffer.from(body ?? '')]);
}

/**
 * Sends all these bytes on a new connection and returns what it receives until the connection ends. Use it for requests
 * that no HTTP client would send.
 * @param origin `http://host:port`
 */
export async function rawHttp(origin: string, bytes: Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  socket.on('data', (data) => received.push(Buffer.from(data)));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(bytes);
  await closed;
  return parse(Buffer.concat(received).toString('utf8'));
}

function parse(text: string): RawAnswer {
  const final = text.replace(/^(HTTP\/1\.1 1\d\d [^\r]*\r\n([^\r]+\r\n)*\r\n)+/, '');
  const [head = '', ...rest] = final.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers: Record<string, string[]> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    const key = name.toLowerCase();
    headers[key] = [...(headers[key] ?? []), value];
  }
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0),
    headers,
    body: rest.join('\r\n\r\n'),
  };
}

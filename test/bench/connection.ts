import { connect, type Socket } from 'node:net';

export interface Answer {
  status: number;
  /** The raw headers, one on each line. */
  headers: string;
  body: string;
}

/**
 * One keep-alive connection that sends one request after another. It is much cheaper than Node's own client, so the load
 * uses little CPU time beside the server. It reads only responses with Content-Length, which all responses of Gatehouse have.
 */
export interface Connection {
  send(request: string): Promise<Answer>;
  close(): void;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export function openConnection(port: number): Connection {
  let socket: Socket | undefined;
  let received = '';
  let waiting: Waiting | undefined;

  const failed = (error: Error) => {
    socket = undefined;
    waiting?.reject(error);
    waiting = undefined;
  };
  const open = () => {
    received = '';
    const opened = connect({ port, host: '127.0.0.1', noDelay: true });
    opened.setEncoding('latin1').on('data', (part: string) => {
      received += part;
      const parsed = parse(received);
      if (parsed === undefined) return;
      received = received.slice(parsed.length);
      const { resolve } = waiting ?? {};
      waiting = undefined;
      resolve?.(parsed.answer);
    });
    opened.on('error', failed);
    opened.on('close', () => opened === socket && failed(new Error('the server closed the connection')));
    return opened;
  };
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket ??= open();
        socket.write(request, 'latin1');
      }),
    close: () => socket?.destroy(),
  };
}

function parse(text: string): { answer: Answer; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const headers = text.slice(0, end);
  const status = Number(headers.slice(9, 12));
  const hasNone = status === 204 || status === 304;
  const length = hasNone ? 0 : Number(headerOf(headers, 'content-length'));
  if (Number.isNaN(length)) throw new Error(`an answer without Content-Length:\n${headers}`);
  const total = end + 4 + length;
  if (text.length < total) return undefined;
  return { answer: { status, headers, body: text.slice(end + 4, total) }, length: total };
}

/** The value of a header, undefined if there is none. */
export function headerOf(headers: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(?<value>[^\\r\\n]*)`, 'im').exec(headers)?.groups?.value;
}

const sent = (headers: Record<string, string>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

export const get = (path: string, headers: Record<string, string> = {}): string =>
  `GET ${path} HTTP/1.1\r\nHost: bench\r\n${sent(headers)}\r\n`;

function post(path: string, type: string, body: string, headers: Record<string, string>): string {
  const described = { ...headers, 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body)) };
  return `POST ${path} HTTP/1.1\r\nHost: bench\r\n${sent(described)}\r\n${body}`;
}

export const postForm = (
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): string => post(path, 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString(), headers);

export const postJson = (path: string, body: object, headers: Record<string, string> = {}): string =>
  post(path, 'application/json', JSON.stringify(body), headers);

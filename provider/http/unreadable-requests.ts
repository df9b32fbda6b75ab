import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, errorStatus } from '../lib/errors.ts';
import { dataPolicy } from './request-context.ts';

type Told = [code: ErrorCode, reason: string, detail: string];

const unreadable: Told = ['invalid_request', 'Bad Request', "This isn't a request by HTTP/1.1."];

const known: Record<string, Told> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'Request Header Fields Too Large',
    "Send at most 16 KiB of address and headers. In a browser, delete this site's cookies.",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'Request Timeout', 'The request took too long to arrive.'],
};

/** The open connections, each with the response that is being sent on it. */
export type Connections = Map<Socket, ServerResponse | undefined>;

/**
 * Answers data that never becomes a valid request, and requests that break off. It uses the same error format as all
 * other errors (RFC 9457). Node would send only a status.
 */
export function answerUnreadable(server: Server, connections: Connections): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const isAnswering = connections.get(socket)?.headersSent === true;
    if (!socket.writable || isAnswering) socket.destroy();
    else socket.end(problem(known[error.code ?? ''] ?? unreadable), () => socket.destroy());
  });
  // RFC 9110 §10.1.1 does not define how to handle an unknown expectation. Such a request is answered as if it had
  // none.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

function problem([code, reason, detail]: Told): string {
  const status = errorStatus[code];
  const type = `urn:gatehouse:problem:${code}`;
  const body = JSON.stringify({ type, title: code.replaceAll('_', ' '), status, detail, code });
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Content-Security-Policy: ${dataPolicy}`,
    'X-Content-Type-Options: nosniff',
    'Referrer-Policy: no-referrer',
    'Cache-Control: no-store',
    '',
    body,
  ].join('\r\n');
}

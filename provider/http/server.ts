import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from '../lib/errors.ts';
import type { App } from './app.ts';
import { answerUnreadable, type Connections } from './unreadable-requests.ts';

export interface ListenOptions {
  port: number;
  host?: string | undefined;
  /**
   * Aborted when the process stops soon. From then on, each response ends its connection, so that no client sends a
   * request over a connection that is being closed.
   */
  stopsSoon?: AbortSignal | undefined;
  /** How long a request may take to arrive, and how often this is checked. */
  arrival?: { headersMs: number; wholeMs: number; checkMs: number };
}

export interface Listener {
  readonly port: number;
  /** Accepts no new connections, answers the current requests, and resolves when the last response is sent. */
  close(): Promise<void>;
}

const usual = { headersMs: 20_000, wholeMs: 30_000, checkMs: 5_000 };

/**
 * Starts to listen. Requests must arrive within limits of time and size. Connections stay open longer than a load
 * balancer keeps them open (60 s by default on AWS), so that the load balancer never uses a connection that we are
 * closing.
 */
export async function listen(app: App, options: ListenOptions): Promise<Listener> {
  const { port, host, stopsSoon, arrival = usual } = options;
  const server = createServer(
    {
      maxHeaderSize: 16 * 1024,
      keepAliveTimeout: 65_000,
      headersTimeout: arrival.headersMs,
      requestTimeout: arrival.wholeMs,
      connectionsCheckingInterval: arrival.checkMs,
      // `requestNormaliser` refuses such a request with a problem document.
      requireHostHeader: false,
    },
    app.callback(),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refusal(error, port, host)));
    server.listen({ port, host }, () => resolve());
  });
  // Otherwise Node would silently drop all headers after the first 2,000, even short ones. The size of the headers has
  // its own limit.
  server.maxHeadersCount = 0;
  stopsSoon?.addEventListener('abort', () => endAfterEach(server), { once: true });
  // One entry for each connection. With a Set of all responses, V8 kept most of them until it collected its old objects,
  // which took a tenth of the CPU time of a short request.
  const connections: Connections = new Map();
  server.on('connection', (socket) => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    connections.set(socket, response);
    response.once('close', () => {
      if (connections.get(socket) === response) connections.set(socket, undefined);
    });
  });
  answerUnreadable(server, connections);
  return { port: (server.address() as AddressInfo).port, close: () => close(server, connections) };
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'another program has it. Stop that, or choose another port',
  EACCES: 'this user may not. Choose a port above 1023',
  EADDRNOTAVAIL: 'this machine has no such address. Choose another',
  ENOTFOUND: 'there is no such host name. Choose another',
};

/**
 * Turns an error that prevents listening into a ConfigurationError, if the operator can fix it and the reason is known.
 */
function refusal(error: Error & { code?: string }, port: number, host: string | undefined): Error {
  const reason = reasons[error.code ?? ''];
  if (reason === undefined) return error;
  const place = host === undefined ? `port ${port}` : `${host}, port ${port}`;
  const settings = 'GATEHOUSE_PORT and GATEHOUSE_HOST, or GATEHOUSE_OPS_PORT and GATEHOUSE_OPS_HOST';
  return new ConfigurationError([`Can't listen on ${place}: ${reason} (${settings}).`]);
}

/**
 * A response whose headers are not sent yet tells its client not to reuse the connection. A reused connection would
 * delay the shutdown.
 */
function endAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}

const endAfterEach = (server: Server) =>
  server.prependListener('request', (_request, response) => endAfter(response));

function close(server: Server, connections: Connections): Promise<void> {
  for (const response of connections.values()) if (response) endAfter(response);
  endAfterEach(server);
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Browsers open spare connections. Node does not treat such a connection as idle before its first request.
    for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy();
  });
}

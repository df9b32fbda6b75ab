import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Koa from 'koa';

export interface ListenOptions {
  port: number;
  host?: string | undefined;
}

export interface Listener {
  readonly port: number;
  /** Takes no new connection, answers what is under way, and resolves when the last answer is sent. */
  close(): Promise<void>;
}

/**
 * Listens. Requests must arrive in bounded time and size; connections are kept longer than a load balancer keeps
 * them (60 s by default on AWS), so that it never picks one we are closing.
 */
export async function listen(app: Koa, { port, host }: ListenOptions): Promise<Listener> {
  const server = createServer({ maxHeaderSize: 16 * 1024, keepAliveTimeout: 65_000 }, app.callback());
  server.requestTimeout = 30_000;
  server.headersTimeout = 20_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => resolve());
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

function close(server: Server): Promise<void> {
  // An answer that is still to come tells its client not to reuse the connection.
  server.on('request', (_request, response) => response.setHeader('Connection', 'close'));
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestCertificate, testCertificate } from './certificate.ts';

/** A server on https://localhost that passes requests on by plain HTTP, like a load balancer. */
export interface TlsFront {
  origin: string;
  certificate: TestCertificate;
  /** Where requests go from now on: `http://127.0.0.1:…`. Until then they get 502. */
  passTo(target: string): void;
  stop(): Promise<void>;
}

export interface TlsFrontOptions {
  certificate?: TestCertificate;
  /** The default is any free port. */
  port?: number;
  /** Headers that replace those of each request. */
  headers?: Record<string, string>;
}

export async function startTlsFront(options: TlsFrontOptions = {}): Promise<TlsFront> {
  const { certificate = testCertificate(), headers: own = {} } = options;
  let to: string | undefined;
  const { cert, key } = certificate;
  const server = createServer({ cert, key }, (received, response) => {
    if (to === undefined) return void response.writeHead(502).end();
    const { method, url: path } = received;
    const { hostname, port } = new URL(to);
    const headers = { ...received.headers, ...own };
    const call = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    call.once('error', () => response.destroy());
    received.pipe(call);
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, 'localhost', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `https://localhost:${port}`,
    certificate,
    passTo: (target) => {
      to = target;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

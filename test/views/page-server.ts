import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { viewFile } from '../../provider/interactions/render.ts';

const types: Record<string, string> = { css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };

export interface TestServer {
  /** Without a trailing slash. */
  origin: string;
  close(): Promise<void>;
}

/** A server on a free port of the loopback interface. */
export async function serve(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { origin: `http://127.0.0.1:${port}`, close };
}

/** Answers requests for `/assets/…` as the provider does; true when it did. */
export const serveAsset: (...parameters: Parameters<RequestListener>) => boolean = (request, response) => {
  const asset = /^\/(assets\/[\w.-]+\.(css|svg))(\?|$)/.exec(request.url ?? '');
  if (asset?.[1] === undefined) return false;
  response.setHeader('Content-Type', types[asset[2] ?? ''] ?? 'application/octet-stream');
  response.end(readFileSync(viewFile(asset[1])));
  return true;
};

/** A posted form's fields. */
export async function formFields(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
}

import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PageAssets } from '../../provider/interactions/theme/page-assets.ts';

export interface TestServer {
  /** The origin without a trailing slash. */
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

/** Answers requests for `/assets/…` as the provider does. Returns true if it answered. */
export function serveAsset(assets: PageAssets, ...[request, response]: Parameters<RequestListener>): boolean {
  const [path = ''] = (request.url ?? '').split('?');
  const asset = path.startsWith('/assets/') ? assets.get(path.slice('/assets/'.length)) : undefined;
  if (asset === undefined) return false;
  response.setHeader('Content-Type', asset.type);
  response.end(asset.content);
  return true;
}

/** The fields of a posted form. */
export async function formFields(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
}

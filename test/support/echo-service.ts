import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a service behind a gateway received it. */
export interface SeenRequest {
  method: string;
  url: string;
  /** Names in lower case, in the order received. A header that was sent twice is here twice. */
  headers: [name: string, value: string][];
  body: string;
}

/** A small service that answers each request with the request as it received it. */
export interface EchoService {
  /** `127.0.0.1:…` */
  address: string;
  /** The number of requests it received. */
  count(): number;
  close(): Promise<void>;
}

export async function startEchoService(): Promise<EchoService> {
  let count = 0;
  const server = createServer(async (request, response) => {
    count += 1;
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { method = '', url = '', rawHeaders } = request;
    const headers: SeenRequest['headers'] = [];
    for (let index = 0; index < rawHeaders.length; index += 2)
      headers.push([(rawHeaders[index] ?? '').toLowerCase(), rawHeaders[index + 1] ?? '']);
    const seen: SeenRequest = { method, url, headers, body };
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(seen));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address: `127.0.0.1:${port}`, count: () => count, close };
}

import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** What happens to a request: it is forwarded, gets an answer without reaching the server, or is never answered. */
export type ApiFault = 'pass' | 'silent' | { status: number; lines?: object[] };

export interface ApiRequest {
  method: string;
  /** Path and query. */
  path: string;
  isWatch: boolean;
}

export interface ApiProxy {
  url: string;
  requests: ApiRequest[];
  /** Decides about each later request. The default forwards all. */
  decide(fault: (request: ApiRequest) => ApiFault): void;
  /** Closes all connections, and refuses new ones until `open`: a server that is restarted. */
  shut(): void;
  open(): void;
  /** From now on, answers that are under way stay open and get no more data. */
  silence(): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of the API server, for the faults that the server does not have on request. */
export async function startApiProxy({
  server,
  ca,
}: {
  server: string;
  ca: string | undefined;
}): Promise<ApiProxy> {
  const requests: ApiRequest[] = [];
  const sockets = new Set<Socket>();
  const underWay = new Set<{ silent: boolean }>();
  const agent = new https.Agent({ keepAlive: true, ca: ca && Buffer.from(ca, 'base64') });
  let decide: (request: ApiRequest) => ApiFault = () => 'pass';
  let isShut = false;

  const forward = (request: IncomingMessage, response: ServerResponse) => {
    const state = { silent: false };
    underWay.add(state);
    const headers = { ...request.headers, host: new URL(server).host };
    const upstream = https.request(
      server + request.url,
      { method: request.method, headers, agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.flushHeaders();
        answer.on('data', (chunk) => state.silent || response.write(chunk));
        answer.on('end', () => state.silent || response.end());
        answer.on('error', () => response.destroy());
      },
    );
    upstream.on('error', () => response.destroy());
    response.on('close', () => {
      underWay.delete(state);
      upstream.destroy();
    });
    request.pipe(upstream);
  };

  const proxy = http.createServer((request, response) => {
    const path = request.url ?? '';
    const seen = { method: request.method ?? '', path, isWatch: path.includes('watch=true') };
    requests.push(seen);
    const fault = decide(seen);
    if (fault === 'pass') return forward(request, response);
    if (fault === 'silent') return;
    response.writeHead(fault.status, { 'content-type': 'application/json' });
    response.end(
      (fault.lines ?? [{ message: 'a fault of the test' }])
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    );
  });
  proxy.on('connection', (socket) => {
    if (isShut) return void socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    requests,
    decide: (fault) => {
      decide = fault;
    },
    shut: () => {
      isShut = true;
      hangUp();
    },
    open: () => {
      isShut = false;
    },
    silence: () => {
      for (const state of underWay) state.silent = true;
    },
    close: async () => {
      hangUp();
      agent.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

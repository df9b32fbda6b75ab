import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { formFields } from '../views/page-server.ts';
import { selfSigned } from './self-signed.ts';

/** A client's side of the flow, on this machine. */
export interface CallbackServer {
  /** Without a trailing slash. */
  origin: string;
  /** Where people come back to. */
  callback: string;
  /** A callback that leads on to another origin, as `onward` said. */
  hop: string;
  /** What forms sent to `callback` (OAuth 2.0 Form Post Response Mode §2). */
  posted: Record<string, string>[];
  close(): Promise<void>;
}

export interface CallbackServerOptions {
  /** With https and a certificate nobody signed, under the name `localhost`. */
  secure?: boolean;
  /** Where `hop` leads, given the server's port. */
  onward(port: number): string;
}

const page = (title: string, body = '') =>
  `<!doctype html><html lang="en"><title>${title}</title><main><h1>${title}</h1>${body}</main></html>`;

/** Starts it on a free port of the loopback interface; not on `localhost`, so that it is another site than the issuer. */
export async function startCallbackServer(options: CallbackServerOptions): Promise<CallbackServer> {
  const posted: CallbackServer['posted'] = [];
  const listener: RequestListener = async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://here');
    if (pathname === '/hop') {
      response.writeHead(303, { Location: onward }).end();
      return;
    }
    if (request.method === 'POST') posted.push(await formFields(request));
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
    const framed = searchParams.get('frame');
    response.end(page('arrived', framed ? `<iframe title="framed" src="${framed}"></iframe>` : ''));
  };
  const server = options.secure ? createSecureServer(selfSigned(), listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const onward = options.onward(port);
  const origin = options.secure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { origin, callback: `${origin}/callback`, hop: `${origin}/hop`, posted, close };
}

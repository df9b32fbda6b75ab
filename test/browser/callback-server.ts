import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { formFields } from '../views/page-server.ts';
import { selfSigned } from './self-signed.ts';

/** The callback of a client, on this machine. */
export interface CallbackServer {
  /** The origin without a trailing slash. */
  origin: string;
  /** The redirect URI. */
  callback: string;
  /** A callback that redirects to another origin, given by `onward`. */
  hop: string;
  /** The fields of forms that were posted to `callback` (OAuth 2.0 Form Post Response Mode §2). */
  posted: Record<string, string>[];
  close(): Promise<void>;
}

export interface CallbackServerOptions {
  /** Uses https with a self-signed certificate for the name `localhost`. */
  secure?: boolean;
  /** Returns the target of `hop` for the port of the server. */
  onward(port: number): string;
}

const page = (title: string, body = '') =>
  `<!doctype html><html lang="en"><title>${title}</title><main><h1>${title}</h1>${body}</main></html>`;

/** Starts the server on a free loopback port. Its name is not `localhost`, so that it is another site than the issuer. */
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

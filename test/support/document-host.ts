import { writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { testCertificate } from './certificate.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Web servers at `*.example.test`, where apps publish their documents. All of them are one server on this machine. */
export interface DocumentHosts {
  /** The settings with which a Gatehouse process finds these servers under public addresses and trusts them. */
  env: Record<string, string>;
  /** The URL of a document. The default host is `apps.example.test`. */
  url(path: string, host?: string): string;
  /** What a path of every host answers. */
  answer(path: string, answer: Answer): void;
  /** Publishes metadata at a path, with the right `client_id`, and returns the URL. */
  publish(path: string, metadata?: Record<string, unknown>, headers?: Record<string, string>): string;
  /** Gives the hosts another address. With a private one no request may arrive. */
  moveTo(address: string): void;
  /** From now on, connections are refused, until `back`. */
  away(): Promise<void>;
  back(): Promise<void>;
  /** Moves the time of the processes forward. */
  advance(seconds: number): void;
  /** How far the time was moved. */
  readonly shiftedSeconds: number;
  /** The paths that were requested so far. */
  readonly requests: string[];
  stop(): Promise<void>;
}

const names = ['apps.example.test', 'tools.example.test', 'elsewhere.example.test'];

/** Metadata of a public app, as it publishes them for all servers. */
export const publicMetadata = {
  client_name: 'Helpful Agent',
  redirect_uris: ['http://localhost:8080/agent/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

export async function startDocumentHosts(): Promise<DocumentHosts> {
  const folder = await mkdtemp(join(tmpdir(), 'documents-'));
  const { cert, key } = testCertificate({ host: '*.example.test' });
  const answers = new Map<string, Answer>();
  const requests: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    requests.push(request.url ?? '');
    const answer = answers.get(request.url ?? '');
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const hostsFile = join(folder, 'hosts.json');
  const moveTo = (address: string) =>
    writeFileSync(
      hostsFile,
      JSON.stringify(Object.fromEntries(names.map((name) => [name, { address, port }]))),
    );
  // An address of the public internet. No connection to it is opened.
  moveTo('93.184.215.14');
  await writeFile(join(folder, 'ca.pem'), cert);
  let shiftedSeconds = 0;
  const advance = (seconds: number) => {
    shiftedSeconds += seconds;
    writeFileSync(join(folder, 'clock.json'), JSON.stringify({ all: shiftedSeconds * 1000 }));
  };
  advance(0);
  const load = (name: string) => `--import ${join(packageRoot, 'test', 'support', name)}`;
  const away = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const url = (path: string, host = 'apps.example.test') => `https://${host}${path}`;
  return {
    env: {
      NODE_OPTIONS: `${load('public-hosts.js')} ${load('shifted-clock.js')}`,
      TEST_CLOCK_FILE: join(folder, 'clock.json'),
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      TEST_PUBLIC_HOSTS: hostsFile,
    },
    url,
    answer: (path, answer) => void answers.set(path, answer),
    publish: (path, metadata = publicMetadata, headers = {}) => {
      const id = url(path);
      const text = JSON.stringify({ client_id: id, ...metadata });
      answers.set(path, (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);
      });
      return id;
    },
    moveTo,
    away,
    back: () => listen(port),
    advance,
    get shiftedSeconds() {
      return shiftedSeconds;
    },
    requests,
    stop: async () => {
      if (server.listening) await away();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launchBrowser, type TestBrowser } from '../../support/chromium.ts';
import { type FleetDeployment, startEmbedded } from '../../support/deployment.ts';
import { freePort } from '../../support/free-port.ts';
import { startTlsFront, type TlsFront } from '../../support/tls-front.ts';
import { type AppOptions, type AppProcess, startApp } from './app-process.ts';
import { copyOfApp } from './install.ts';
import { type Addresses, type ConnectPage, readPage } from './page.ts';

/** What the test of one client needs: a page, a Gatehouse that has the client of the page, a browser and a folder. */
export interface ConnectWorld {
  page: ConnectPage;
  deployment: FleetDeployment;
  /** The issuer as the client sees it, and the app's own origin. `api` is the audience. */
  addresses: Addresses;
  /** The port of the app's origin, on which the app must listen. */
  appPort: number;
  browser: TestBrowser;
  /** A copy of `test/connect/apps/NAME`, for the files of the page. It is removed at the end. */
  folder: string;
  /** The path of the certificate of the TLS front, for clients that must trust it. Empty without `https`. */
  caFile: string;
  /** Writes a file into the folder. Returns its path. */
  write(file: string, text: string): Promise<string>;
  /** Starts the app in the folder, with the secrets of the page in its environment. It is stopped at the end. */
  start(options: Omit<AppOptions, 'cwd' | 'ready'> & { ready?: string }): Promise<AppProcess>;
  /** Calls this at the end, before everything else stops. */
  onStop(stop: () => Promise<unknown>): void;
  stop(): Promise<void>;
}

export interface WorldOptions {
  /** Whether the issuer is at https, for clients that refuse http. The certificate is self-signed. */
  https?: boolean;
  /** The folder with `node_modules`, from `installedWithNpm`. The app's folder gets a link to it. */
  packages?: string;
  /** The port of the app, if the client fixes it. The default is a free one. */
  appPort?: number;
  /** Settings of Gatehouse. */
  env?: Record<string, string>;
  /** Changes the documents of the page before Gatehouse reads them. */
  clients?: (clients: ConnectPage['clients']) => unknown[];
  /** Whether the test needs no browser. */
  withoutBrowser?: boolean;
}

/**
 * Starts everything for `docs/connect/NAME.md`. The issuer is on `localhost` and the app on `127.0.0.1`, so they are two
 * sites for the browser. If one part does not start, the parts before it are stopped.
 */
export async function startWorld(name: string, options: WorldOptions = {}): Promise<ConnectWorld> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const folder = await copyOfApp(name);
    stops.push(() => rm(folder, { recursive: true, force: true }));
    if (options.packages) await symlink(join(options.packages, 'node_modules'), join(folder, 'node_modules'));
    const front = options.https ? await startTlsFront() : undefined;
    if (front) stops.push(front.stop);
    const write = async (file: string, text: string) => {
      await writeFile(join(folder, file), text);
      return join(folder, file);
    };
    const caFile = front ? await write('ca.pem', front.certificate.cert) : '';
    const appPort = options.appPort ?? (await freePort());
    const app = `http://127.0.0.1:${appPort}`;
    const { deployment, page, addresses } = await startGatehouse(name, app, front, options);
    stops.push(deployment.stop);
    const browser = options.withoutBrowser
      ? noBrowser
      : await launchBrowser({ bypassCsp: false, ignoreHTTPSErrors: front !== undefined });
    stops.push(browser.close);
    // Many clients may run at once on a small machine.
    if (!options.withoutBrowser) browser.context.setDefaultTimeout(60_000);
    const start: ConnectWorld['start'] = async (app) => {
      const trust: Record<string, string> = caFile ? { NODE_EXTRA_CA_CERTS: caFile } : {};
      const env = { ...page.secrets, ...trust, PORT: String(appPort), ...app.env };
      const started = await startApp({ ready: addresses.app, ...app, cwd: folder, env });
      stops.push(started.stop);
      return started;
    };
    const onStop = (each: () => Promise<unknown>) => void stops.push(each);
    return { page, deployment, addresses, appPort, browser, folder, caFile, write, start, onStop, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const noBrowser: TestBrowser = {
  get context(): never {
    throw new Error('this test asked for no browser');
  },
  close: async () => {},
};

/** The embedded Gatehouse with the demo account, the demo API and the clients of the page. */
async function startGatehouse(name: string, app: string, front: TlsFront | undefined, options: WorldOptions) {
  const port = await freePort();
  const issuer = front?.origin ?? `http://localhost:${port}`;
  const addresses: Addresses = { issuer, app, api: `${issuer}/api` };
  const page = readPage(name, addresses);
  const clients = options.clients?.(page.clients) ?? page.clients;
  const env = { ...page.secrets, ...options.env };
  const deployment = await startEmbedded({ clients, env, port, issuer: () => issuer });
  front?.passTo(deployment.origins[0] ?? '');
  return { deployment, page, addresses };
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { demoAccessModel, demoClients, demoDefaultClient } from '../../provider/bin/demo.ts';
import type { AccessModel } from '../../provider/config/access-model.ts';
import { freePort } from './free-port.ts';
import { testServerSecret } from './secrets.ts';

export interface FolderOptions {
  /** Clients in addition to the demo clients. */
  clients?: unknown[];
  /** Returns the APIs and roles for the default API's audience. The default is the demo's APIs and roles. */
  accessModel?: (audience: string) => AccessModel;
  /** Returns the issuer for a port. The default is `http://localhost:` and the port. */
  issuer?: (port: number) => string;
  /** The folder of another release, which knows no newer fields of client documents. */
  build?: string | undefined;
  /** The port of the first process. The default is any free port. */
  port?: number;
}

/** A folder with the files that a deployment needs, and the settings that name these files. */
export interface DeploymentFolder {
  folder: string;
  issuer: string;
  /** The default API's audience. */
  audience: string;
  /** The port in the issuer's address. */
  port: number;
  env: Record<string, string>;
  remove(): Promise<void>;
}

function demo(audience: string, { build }: FolderOptions): unknown[] {
  const clients = demoClients(audience);
  if (build === undefined) return clients;
  return clients.map((client) => ({ ...(client as object), anyLoopbackPort: undefined }));
}

export async function createDeploymentFolder(options: FolderOptions): Promise<DeploymentFolder> {
  const { clients = [], accessModel = demoAccessModel, issuer: issuerAt = localIssuer } = options;
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  const port = options.port ?? (await freePort());
  const issuer = issuerAt(port);
  const audience = `${issuer}/api`;
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const env = {
    GATEHOUSE_ISSUER: issuer,
    GATEHOUSE_CLIENTS_FILE: await write(
      'clients.yaml',
      stringify({ clients: [...demo(audience, options), ...clients] }),
    ),
    GATEHOUSE_APIS_FILE: await write('apis.yaml', stringify(apisFile(accessModel(audience)))),
    GATEHOUSE_DEFAULT_CLIENT: demoDefaultClient,
    GATEHOUSE_KEYS: `file:${join(folder, 'keys.json')}`,
    GATEHOUSE_SERVER_SECRETS: `file:${await write('server-secrets', testServerSecret)}`,
    GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '0',
    GATEHOUSE_HOST: '127.0.0.1',
    GATEHOUSE_OPS_HOST: '127.0.0.1',
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_SIGNUP_ROLES: 'CLIENT',
  };
  const remove = () => rm(folder, { recursive: true, force: true });
  return { folder, issuer, audience, port, env, remove };
}

const localIssuer = (port: number) => `http://localhost:${port}`;

function apisFile(model: AccessModel) {
  const apis = model.apis.map(({ scopes, ...api }) => ({
    ...api,
    scopes: Object.fromEntries(scopes.map(({ name, ...scope }) => [name, scope])),
  }));
  const claims = Object.fromEntries(model.claims.map(({ name, ...claim }) => [name, claim]));
  // The last release does not know an empty list of claims.
  return { apis, roles: { ...model.roles }, ...(model.claims.length > 0 && { claims }) };
}

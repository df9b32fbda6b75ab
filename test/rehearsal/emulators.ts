import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../cluster/tools.ts';
import { startMinistack } from '../support/servers/ministack.ts';
import { startNginx } from '../support/servers/nginx.ts';
import { waitFor } from '../support/wait-for.ts';
import { administratorSecret } from './apply-platform.ts';

/** Where the NodePorts 30081 (Gatehouse) and 30500 (moto) of the cluster are reachable from here. */
export const ports = { gatehouse: 'http://127.0.0.1:18081', moto: 'http://127.0.0.1:15000' };

/** The addresses of the two ways in. They are on the loopback, and the names of the page lead to them. */
const addresses = { gateway: '127.77.0.1', balancer: '127.77.0.2' };

/** Runs kubectl on the emulators. */
const kubectl = (args: string[], input = '') =>
  run('kubectl', ['--namespace', 'emulators', ...args], { input });

/** Starts Postgres, Redis and moto in the cluster. */
export async function startInCluster(): Promise<void> {
  await run('kubectl', ['create', 'namespace', 'emulators']);
  const stores = readFileSync(join(import.meta.dirname, '../cluster/stores.yaml'), 'utf8');
  const emulators = readFileSync(join(import.meta.dirname, 'emulators.yaml'), 'utf8');
  await kubectl(['apply', '--filename', '-'], `${stores}\n---\n${emulators}`);
  for (const one of ['statefulset/postgres', 'statefulset/redis', 'deployment/moto'])
    await kubectl(['rollout', 'status', one, '--timeout=180s']);
  await waitFor(async () => (await fetch(`${ports.moto}/moto-api/data.json`)).ok, {
    timeoutMs: 60_000,
    intervalMs: 300,
    what: 'moto',
  });
}

/** Runs SQL as the administrator of the database. */
export async function sql(statements: string): Promise<void> {
  const psql = ['psql', '--host=/tmp', '--username=postgres', '--quiet', '--set=ON_ERROR_STOP=1'];
  await kubectl(['exec', '-i', 'postgres-0', '--', ...psql], statements);
}

/** As RDS does: an administrator who is no superuser, its password in a secret, and the role whose members sign in by IAM. */
export async function prepareDatabase(): Promise<void> {
  const password = randomBytes(18).toString('hex');
  await sql(`
    CREATE ROLE administrator LOGIN CREATEROLE CREATEDB PASSWORD '${password}';
    CREATE ROLE rds_iam;
    GRANT rds_iam TO administrator WITH ADMIN OPTION;`);
  const value = JSON.stringify({ username: 'administrator', password });
  const secret = ['secretsmanager', 'create-secret', '--name', administratorSecret];
  await run('aws', [...secret, '--secret-string', value]);
}

/** The way in from outside. */
export interface WaysIn {
  /** The control plane of API Gateway. */
  gatewayUrl: string;
  /** The load balancer, as the VPC link reaches it. */
  balancerUrl: string;
  /** Lets the name of the issuer lead to API Gateway or to the load balancer. */
  leadIssuerTo(way: keyof typeof addresses): void;
  stop(): Promise<void>;
}

const server = (address: string, host: string, folder: string, content: string) => `
server {
    listen ${address}:443 ssl;
    server_name ${host};
    ssl_certificate ${folder}/${host}.pem;
    ssl_certificate_key ${folder}/${host}.key;
    proxy_http_version 1.1;
    ${content}
}`;

/** A service of the owner is behind the same load balancer. It answers with the identity that the gateway gave it. */
const service = `location = /v1/contracts {
        default_type application/json;
        return 200 '{"subject":"$http_x_caller_subject","client":"$http_x_caller_client","roles":"$http_x_caller_roles"}';
    }`;

/**
 * Starts API Gateway (ministack), and nginx as its front and as the load balancer, both with TLS.
 *
 * @param folder has the certificates and the file of host names
 * @param writeHosts writes the names and addresses
 */
export async function startWaysIn(folder: string, writeHosts: (lines: string) => void): Promise<WaysIn> {
  const ministack = await startMinistack();
  const toGateway = `location / {
        proxy_pass ${ministack.url};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
    }`;
  const toGatehouse = `location / {
        proxy_pass ${ports.gatehouse};
        proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }`;
  const nginx = await startNginx(
    (port) =>
      [
        `server { listen 127.0.0.1:${port}; return 204; }`,
        server(addresses.gateway, 'id.example.com', folder, toGateway),
        server(addresses.gateway, 'api.example.com', folder, toGateway),
        server(addresses.balancer, 'lb.example.com', folder, `${service}\n    ${toGatehouse}`),
        server(addresses.balancer, 'id.example.com', folder, toGatehouse),
      ].join('\n'),
    true,
  ).catch(async (error) => {
    await ministack.stop();
    throw error;
  });
  return {
    gatewayUrl: ministack.url,
    balancerUrl: `https://${addresses.balancer}`,
    leadIssuerTo: (way) =>
      writeHosts(`${addresses[way]} id.example.com\n${addresses.gateway} api.example.com\n`),
    stop: async () => void (await Promise.all([nginx.stop(), ministack.stop()])),
  };
}

import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { demoAccessModel } from '../../provider/bin/demo.ts';
import type { AccessModel } from '../../provider/config/access-model.ts';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { demo, type FleetDeployment, startServers } from '../support/deployment.ts';
import { type DocumentHosts, publicMetadata, startDocumentHosts } from '../support/document-host.ts';
import { freePort } from '../support/free-port.ts';
import { folderWithPackages } from '../support/node-packages.ts';
import { decodeJwt } from '../support/test-client.ts';
import { createUserAgent, signInAndAgree } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

const packages = ['@modelcontextprotocol/sdk@1.32.2', 'jose@6.2.18', 'zod@4.6.7'];

/** The first block of code of this language on the page. */
const blockOf = (page: string, language: string): string =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? '';

type DocumentedApis = {
  apis: { name: string; scopes: Record<string, { description: string; permission: string }> }[];
};

interface Step {
  event: 'client' | 'authorize' | 'tokens' | 'called';
  [field: string]: unknown;
}

describe('the MCP server of docs/mcp.md, with the client of the official SDK', () => {
  let hosts: DocumentHosts;
  let deployment: FleetDeployment;
  let folder: string;
  let resource: string;
  let server: ReturnType<typeof spawn>;

  beforeAll(async () => {
    const page = await readFile(join(packageRoot, 'docs', 'mcp.md'), 'utf8');
    const home = await folderWithPackages(packages);
    folder = await mkdtemp(join(home, 'run-'));
    hosts = await startDocumentHosts();
    resource = `http://localhost:${await freePort()}/mcp`;
    const { apis } = parse(blockOf(page, 'yaml')) as DocumentedApis;
    const accessModel = (audience: string): AccessModel => {
      const own = demoAccessModel(audience);
      const scopes = Object.entries(apis[0]?.scopes ?? {}).map(([name, scope]) => ({ name, ...scope }));
      const permissions = scopes.map(({ permission }) => permission);
      return {
        ...own,
        apis: [...own.apis, { audience: resource, name: apis[0]?.name ?? '', scopes }],
        roles: { ...own.roles, CLIENT: [...(own.roles.CLIENT ?? []), ...permissions] },
      };
    };
    deployment = await startServers({
      accessModel,
      redis: false,
      env: {
        ...hosts.env,
        GATEHOUSE_CLIENT_ID_METADATA_HOSTS: 'apps.example.test',
        GATEHOUSE_REGISTRATION: 'open',
        GATEHOUSE_SELF_REGISTERED_SCOPES: 'openid offline_access notes:read notes:write',
      },
    });
    await writeFile(join(folder, 'server.mjs'), blockOf(page, 'js'));
    await copyFile(join(packageRoot, 'test', 'flows', 'mcp', 'client.mjs'), join(folder, 'client.mjs'));
    const env = { ...process.env, ISSUER: deployment.issuer, RESOURCE: resource };
    server = spawn(process.execPath, ['server.mjs'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await waitFor(
      () =>
        fetch(resource).then(
          ({ status }) => status === 405,
          () => false,
        ),
      {
        what: 'the MCP server',
      },
    );
  }, 240_000);
  afterAll(async () => {
    server?.kill();
    await deployment?.stop();
    await hosts?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** Runs the client to its end. Where it needs a person, the demo account signs in and agrees. */
  async function runClient(settings: Record<string, unknown>): Promise<Step[]> {
    const args = ['client.mjs', JSON.stringify({ server: resource, ...settings })];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
    const browser = createUserAgent(deployment);
    const steps: Step[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const step = JSON.parse(line) as Step;
      steps.push(step);
      if (step.event !== 'authorize') continue;
      const returned = await signInAndAgree(browser, await browser.get(String(step.url)), demo);
      child.stdin.write(`${new URL(returned).searchParams.get('code')}\n`);
    }
    return steps;
  }

  /** The steps without addresses. */
  const told = (steps: Step[]) =>
    steps.map(({ event, scope, name, text }) =>
      [event, scope && String(scope).split(' ').sort().join(' '), name, text].filter(Boolean).join(': '),
    );

  test('a client with a metadata document signs in, calls a tool, and asks for more when a call needs it', async () => {
    const metadata = { ...publicMetadata, grant_types: ['authorization_code'] };
    const metadataUrl = hosts.publish('/agent.json', metadata);
    const note = 'buy milk';
    const calls = [
      { name: 'list_notes' },
      { name: 'add_note', arguments: { text: note } },
      { name: 'list_notes' },
    ];
    const steps = await runClient({ metadataUrl, metadata, calls });
    expect(told(steps)).toEqual([
      'client',
      'authorize',
      'tokens: notes:read',
      'called: list_notes',
      'authorize',
      'tokens: notes:read notes:write',
      'called: add_note: added',
      expect.stringContaining(`called: list_notes: ${note}`),
    ]);
    expect(steps[0]).toMatchObject({ event: 'client', id: metadataUrl });
    expect(hosts.requests).toEqual(['/agent.json']);
  }, 60_000);

  test('an older client registers, and refreshes its token', async () => {
    const calls = [{ name: 'list_notes' }, { name: 'list_notes', expired: true }];
    const steps = await runClient({ metadata: publicMetadata, calls });
    expect(told(steps).map((line) => line.replace(/(called: list_notes).*/s, '$1'))).toEqual([
      'client',
      'authorize',
      'tokens: notes:read',
      'called: list_notes',
      'tokens: notes:read',
      'called: list_notes',
    ]);
    expect(steps[0]?.id).toMatch(/^registered_/);
  }, 60_000);

  test('the server refuses what is no token for it, as RFC 9728 and RFC 6750 say', async () => {
    const call = (token?: string) =>
      fetch(resource, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
    const answer = await call();
    expect(answer.status).toBe(401);
    const found = /resource_metadata="([^"]+)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    expect(await (await fetch(found)).json()).toMatchObject({
      resource,
      authorization_servers: [deployment.issuer],
    });
    const login = await deployment.fetch(`${deployment.issuer}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: demo.email, password: demo.password }),
    });
    const { accessToken } = (await login.json()) as { accessToken: string };
    expect(decodeJwt(accessToken).claims.aud).toBe(deployment.audience);
    expect((await call(accessToken)).status).toBe(401);
  });
});

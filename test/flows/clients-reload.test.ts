import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { type Deployment, startServers } from '../support/deployment.ts';
import { metric } from '../support/metrics.ts';
import { createTestClient, demoApps } from '../support/test-client.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { waitFor } from '../support/wait-for.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Gatehouse reads the file every two seconds, and uses it when two reads agree. */
const patience = { timeoutMs: 30_000, intervalMs: 100 };

describe('clients that change at run time', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startServers({ processes: 1, redis: false });
  }, 120_000);
  afterAll(() => deployment?.stop());

  const file = () => join(deployment.folder, 'clients.yaml');
  const replace = async (text: string) => {
    await writeFile(`${file()}.new`, text);
    await rename(`${file()}.new`, file());
  };
  const machineToken = async (id: string, secret: string) => {
    const client = createTestClient(deployment, { id, secret });
    return (await client.clientCredentials()).status;
  };
  const stale = () => metric(deployment, 'gatehouse_clients_stale', `source="${file()}"`);
  const log = () => deployment.programs[0]?.output() ?? '';

  test('a valid change is used; an invalid one is reported and the last valid set stays in use', async () => {
    const web = createTestClient(deployment, demoApps.web);
    const tokens = await web.signIn(createUserAgent(deployment));
    const { clients } = parse(await readFile(file(), 'utf8')) as { clients: Record<string, unknown>[] };
    const late = {
      id: 'late-service',
      name: 'Late service',
      secrets: [{ sha256: sha256('late-secret') }],
      grants: ['client_credentials'],
      scopes: ['contracts:read'],
    };
    expect(await machineToken(late.id, 'late-secret')).toBe(401);
    await replace(stringify({ clients: [...clients, late] }));
    await waitFor(async () => (await machineToken(late.id, 'late-secret')) === 200, patience);
    expect(await stale()).toBe(0);

    const bad = { ...late, id: 'bad-service', scopes: ['contracts:raed'] };
    await replace(stringify({ clients: [bad] }));
    await waitFor(async () => (await stale()) === 1, patience);
    expect(log()).toMatch(/client documents have problems/);
    expect(log()).toMatch(/clients\.yaml:\d+: client bad-service: \/scopes\/0 .*contracts:raed/);
    expect(await machineToken(late.id, 'late-secret')).toBe(200);
    expect(await machineToken(demoApps.service.id, demoApps.service.secret)).toBe(200);
    expect((await web.refresh(tokens.refresh_token)).status).toBe(200);

    await replace(
      stringify({ clients: [...clients, { ...late, secrets: [{ sha256: sha256('next-secret') }] }] }),
    );
    await waitFor(async () => (await stale()) === 0, patience);
    expect(await machineToken(late.id, 'next-secret')).toBe(200);
    expect(await machineToken(late.id, 'late-secret')).toBe(401);
    expect(log()).toMatch(/in use again/);
  }, 150_000);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { openRelay, type Relay } from '../adapters/redis/relay.ts';
import { freePort } from '../support/free-port.ts';
import { type Program, runProgram, runToEnd } from '../support/program.ts';
import { waitFor } from '../support/wait-for.ts';

/** Some Gatehouse processes that are killed and started again. Their addresses stay the same. */
export interface Fleet {
  client: FleetClient;
  /** A client with a short grace: its spent refresh tokens can be presented again only for a moment. */
  strictClient: FleetClient;
  /** The address of each process. */
  origins: string[];
  /** Kills a process with SIGKILL and starts a new one in its place. */
  replace(index: number): Promise<void>;
  /** Ends all connections of callers, also during a request. New connections are accepted. */
  cutCallers(index: number): Promise<void>;
  allReady(): Promise<void>;
  /** The standard output of all processes, including killed ones. */
  written(): string[];
  /** The metrics of the running processes. */
  metrics(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface FleetClient {
  clientId: string;
  graceMs: number;
}

interface Member {
  relay: Relay;
  port: number;
  opsPort: number;
  program: Program;
}

export async function startFleet(count: number, env: Record<string, string>): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-chaos-'));
  // Faults last longer than a lost response in a good network, so the grace is long.
  const client = { clientId: 'chaos-app', graceMs: 60_000 };
  const strictClient = { clientId: 'chaos-strict', graceMs: 1_000 };
  const shared = { ...(await prepare(folder, [client, strictClient])), ...env };
  await runToEnd(['migrate'], { env: shared, cwd: folder });
  const past: Program[] = [];
  const run = (port: number, opsPort: number) => {
    const ports = { GATEHOUSE_PORT: String(port), GATEHOUSE_OPS_PORT: String(opsPort) };
    const program = runProgram(['serve'], { env: { ...shared, ...ports }, cwd: folder });
    past.push(program);
    return program;
  };
  const members: Member[] = [];
  for (let index = 0; index < count; index += 1) {
    const [port, opsPort] = [await freePort(), await freePort()];
    members.push({ relay: await openRelay(port), port, opsPort, program: run(port, opsPort) });
  }
  const fleet: Fleet = {
    client,
    strictClient,
    origins: members.map(({ relay }) => `http://127.0.0.1:${relay.port}`),
    replace: async (index) => {
      const member = members[index];
      if (!member) return;
      member.program.kill('SIGKILL');
      await member.program.ended;
      member.program = run(member.port, member.opsPort);
      await ready(member);
    },
    cutCallers: async (index) => {
      const member = members[index];
      if (member) await member.relay.mend(member.port);
    },
    allReady: async () => {
      await Promise.all(members.map(ready));
    },
    written: () => past.map((program) => program.stdout()),
    metrics: () =>
      Promise.all(
        members.map(async ({ opsPort }) => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()),
      ),
    stop: async () => {
      for (const { program } of members) if (!program.hasEnded()) program.kill('SIGTERM');
      await Promise.all(members.map(({ program }) => program.ended));
      for (const { relay } of members) await relay.cut();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await fleet.allReady().catch(async (error) => {
    await fleet.stop();
    throw new Error(`${error}\n${past.map((program) => program.output().slice(-2000)).join('\n')}`);
  });
  return fleet;
}

async function prepare(folder: string, fleetClients: readonly FleetClient[]) {
  const clients = fleetClients.map(({ clientId, graceMs }) => ({
    id: clientId,
    name: 'Chaos',
    auth: 'none',
    firstParty: true,
    grants: ['password', 'refresh_token'],
    scopes: ['openid', 'profile', 'email'],
    graceSeconds: graceMs / 1000,
  }));
  await writeFile(join(folder, 'clients.yaml'), stringify({ clients }));
  await writeFile(join(folder, 'server-secrets'), 'for-tests-only-'.repeat(4));
  return {
    GATEHOUSE_ISSUER: 'http://localhost:3999',
    GATEHOUSE_HOST: '127.0.0.1',
    GATEHOUSE_OPS_HOST: '127.0.0.1',
    GATEHOUSE_CLIENTS_FILE: join(folder, 'clients.yaml'),
    GATEHOUSE_KEYS: `file:${join(folder, 'keys.json')}`,
    GATEHOUSE_SERVER_SECRETS: `file:${join(folder, 'server-secrets')}`,
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '0',
    GATEHOUSE_LOG_LEVEL: 'error',
  };
}

function ready({ opsPort, program }: Member): Promise<unknown> {
  return waitFor(
    async () => {
      if (program.hasEnded()) throw new Error('gatehouse ended by itself');
      const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`);
      await answer.arrayBuffer();
      return answer.ok;
    },
    { timeoutMs: 60_000, intervalMs: 50, what: 'gatehouse to be ready' },
  );
}

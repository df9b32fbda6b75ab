import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from '@node-rs/argon2';
import { hashSync as bcryptSync } from '@node-rs/bcrypt';
import { owaspParams } from '../accounts/owasp-params.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { startMailServer } from '../support/mail-server.ts';
import { runToEnd } from '../support/program.ts';
import type { Cores } from './cores.ts';
import { profilerEnv } from './profile.ts';

/** Gatehouse as in production, with all guarantees on, and its accounts. */
export interface World {
  stop(): Promise<void>;
  deployment: Deployment;
  port: number;
  pid: number;
  /** That process, and a second one on the same stores, which is idle unless it is measured. */
  processes: { port: number; pid: number }[];
  /** Addresses of accounts with a hash by Gatehouse. */
  known: string[];
  /** Addresses of accounts that were imported with hashes of another system. */
  imported: string[];
}

/** The password of every account. */
export const password = 'a walk along the river';

const accountsOfAKind = 300;

/** @param profile whether the server can be profiled, which makes it a little slower */
export async function startWorld(cores: Cores, { profile = false } = {}): Promise<World> {
  const mailServer = await startMailServer();
  const env: Record<string, string> = {
    // All requests come from one address. With these limits, a tenth of them is counted without a store, as it is for nearly
    // all addresses in production.
    GATEHOUSE_LIMITS_PERCENT: '100000',
    GATEHOUSE_EVENTS_SINK: 'none',
    GATEHOUSE_SIGNUP: 'true',
    GATEHOUSE_SIGNUP_VERIFICATION: 'first',
    ...mailServer.settings,
    ...(profile ? profilerEnv : {}),
  };
  const deployment = await startServers({ processes: 2, env });
  const processes = deployment.programs.map((program, index) => ({
    pid: program.pid ?? 0,
    port: Number(new URL(deployment.origins[index] ?? '').port),
  }));
  for (const { pid } of processes) cores.pinServer(pid);
  const [{ pid, port } = { pid: 0, port: 0 }] = processes;
  const people = await importPeople(deployment);
  const stop = async () => {
    await deployment.stop();
    await mailServer.close();
  };
  return { stop, deployment, pid, port, processes, ...people };
}

async function importPeople({ folder, env }: Deployment): Promise<Pick<World, 'known' | 'imported'>> {
  const { memoryKib: memoryCost, passes: timeCost, parallelism } = owaspParams;
  const own = hashSync(password, { memoryCost, timeCost, parallelism });
  const foreign = [bcryptSync(password, 10), pbkdf2(password)];
  const people = (name: string, hashes: string[]) =>
    Array.from({ length: accountsOfAKind }, (_, index) => ({
      email: `${name}-${index}@example.com`,
      passwordHash: hashes[index % hashes.length],
      roles: ['CLIENT'],
    }));
  const [known, imported] = [people('known', [own]), people('imported', foreign)];
  const file = join(folder, 'people.jsonl');
  await writeFile(file, [...known, ...imported].map((line) => `${JSON.stringify(line)}\n`).join(''));
  await runToEnd(['accounts', 'import', file], { env, cwd: folder });
  const addresses = (all: typeof known) => all.map(({ email }) => email);
  return { known: addresses(known), imported: addresses(imported) };
}

/** Returns a PBKDF2 hash in the PHC string format. */
function pbkdf2(text: string): string {
  const [salt, iterations] = [randomBytes(16), 100_000];
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  const hash = pbkdf2Sync(text, salt, iterations, 32, 'sha256');
  return `$pbkdf2-sha256$i=${iterations}$${base64(salt)}$${base64(hash)}`;
}

import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from '@node-rs/argon2';
import { hashSync as bcryptSync } from '@node-rs/bcrypt';
import { owaspParams } from '../accounts/owasp-params.ts';
import { type Deployment, startServers } from '../support/deployment.ts';
import { runToEnd } from '../support/program.ts';
import type { Cores } from './cores.ts';
import { profilerEnv } from './profile.ts';

/** One process of Gatehouse as it is deployed, with all guarantees on, and the people it knows. */
export interface World {
  deployment: Deployment;
  port: number;
  pid: number;
  /** Have a password hashed as Gatehouse does. */
  known: string[];
  /** Came with hashes of another system. */
  imported: string[];
}

/** Of every account. */
export const password = 'a walk along the river';

const accountsOfAKind = 300;

/** @param profile whether it can be profiled, which makes it a little slower */
export async function startWorld(cores: Cores, { profile = false } = {}): Promise<World> {
  const env: Record<string, string> = {
    // All of the load comes from one address; a tenth of what the limits let through is counted without a store, as it is for
    // nearly everybody.
    GATEHOUSE_LIMITS_PERCENT: '100000',
    GATEHOUSE_EVENTS_SINK: 'none',
    ...(profile ? profilerEnv : {}),
  };
  const deployment = await startServers({ processes: 1, env });
  const pid = deployment.programs[0]?.pid ?? 0;
  cores.pinServer(pid);
  const people = await importPeople(deployment);
  return { deployment, pid, port: Number(new URL(deployment.origins[0] ?? '').port), ...people };
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

/** In the format of PHC strings. */
function pbkdf2(text: string): string {
  const [salt, iterations] = [randomBytes(16), 100_000];
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  const hash = pbkdf2Sync(text, salt, iterations, 32, 'sha256');
  return `$pbkdf2-sha256$i=${iterations}$${base64(salt)}$${base64(hash)}`;
}

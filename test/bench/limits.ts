import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../provider/lib/package-root.ts';
import { findProgram } from '../support/servers/programs.ts';
import { get, openConnection } from './connection.ts';
import type { Cores } from './cores.ts';
import { type Round, runRound, type Worker } from './load.ts';
import { type StockOperation, stockOperations } from './stock-operations.ts';
import type { Measured, Measurement } from './yardstick.ts';

/** A rate that an operation can't exceed or is compared with. */
export interface Limit {
  name: LimitName;
  measure(seconds: number): Promise<Round>;
}

export type LimitName =
  | 'RSA-2048 signatures (OpenSSL)'
  | 'RSA-2048 signatures (Node)'
  | 'a bare Koa answer'
  | 'a Koa answer that signs'
  | 'argon2id hashes'
  | 'a Redis round trip'
  | 'a Postgres round trip'
  | `stock oidc-provider: ${StockOperation}`;

/** Starts the yardstick process on the core of the server. */
export async function startLimits(
  cores: Cores,
  connections: number,
): Promise<{ limits: Limit[]; stop(): void }> {
  const script = join(packageRoot, 'test', 'bench', 'yardstick.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const answer = async <T>() => (await once(child, 'message'))[0] as T;
  const { koaPort, stockPort } = await answer<{ koaPort: number; stockPort: number }>();
  const pid = child.pid ?? 0;
  cores.pinServer(pid);
  const measured = async (what: Measurement, seconds: number): Promise<Round> => {
    child.send({ what, seconds });
    const { perSecond, perCpuSecond, p50Ms } = await answer<Measured>();
    return { count: Math.round(perSecond * seconds), perSecond, perCpuSecond, p50Ms, p99Ms: Number.NaN };
  };
  const workers = (make: () => Promise<Worker>) => Promise.all(Array.from({ length: connections }, make));
  const own: [LimitName, Measurement][] = [
    ['RSA-2048 signatures (Node)', 'signatures'],
    ['argon2id hashes', 'hashes'],
    ['a Redis round trip', 'redis'],
    ['a Postgres round trip', 'postgres'],
  ];
  if (findProgram(['openssl'])) own.unshift(['RSA-2048 signatures (OpenSSL)', 'openssl']);
  const asked: [LimitName, Worker[]][] = [
    ['a bare Koa answer', await workers(() => asking(koaPort, '/bare'))],
    ['a Koa answer that signs', await workers(() => asking(koaPort, '/signs'))],
  ];
  for (const [name, worker] of Object.entries(stockOperations) as [
    StockOperation,
    (typeof stockOperations)[StockOperation],
  ][])
    asked.push([`stock oidc-provider: ${name}`, await workers(() => worker(stockPort))]);
  return {
    limits: [
      ...own.map(([name, what]) => ({ name, measure: (seconds: number) => measured(what, seconds) })),
      ...asked.map(([name, all]) => ({ name, measure: (seconds: number) => runRound(all, seconds, pid) })),
    ],
    stop: () => child.disconnect(),
  };
}

async function asking(port: number, path: string): Promise<Worker> {
  const connection = openConnection(port);
  const request = get(path);
  return {
    once: async () => {
      const { status } = await connection.send(request);
      if (status !== 200) throw new Error(`${path} was answered with ${status}`);
    },
  };
}

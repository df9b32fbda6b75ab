import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { Client } from 'pg';
import { createHashingPool } from '../../provider/accounts/hashing-pool.ts';
import { createPasswords } from '../../provider/accounts/passwords.ts';
import { systemClock } from '../../provider/lib/clock.ts';
import { owaspParams } from '../accounts/owasp-params.ts';
import { quantile } from './statistics.ts';
import { startStockProvider } from './stock.ts';

/**
 * A separate process on the core of the server. It does only the work that can't be avoided, such as signatures. Its rates
 * are the limits that operations are compared with.
 */
export type Measurement = 'signatures' | 'openssl' | 'hashes' | 'redis' | 'postgres';

/** The result of one measurement. `p50Ms` is the median time of one operation. */
export interface Measured {
  perSecond: number;
  perCpuSecond: number;
  p50Ms: number;
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** A message as long as the header and claims of an access token. */
const message = Buffer.alloc(700, 'a');
const signature = () => sign('sha256', message, privateKey);

async function repeated(seconds: number, work: () => unknown): Promise<Measured> {
  const latencies: number[] = [];
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  for (let at = startedAt; at < startedAt + seconds * 1000; ) {
    await work();
    const now = performance.now();
    latencies.push(now - at);
    at = now;
  }
  const cpu = process.cpuUsage(cpuBefore);
  return {
    perSecond: latencies.length / ((performance.now() - startedAt) / 1000),
    perCpuSecond: latencies.length / ((cpu.user + cpu.system) / 1e6),
    p50Ms: quantile(latencies, 0.5),
  };
}

/** Runs the benchmark of OpenSSL, which counts CPU time. */
function openssl(seconds: number): Measured {
  const whole = String(Math.max(1, Math.round(seconds)));
  const options = { stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'] };
  const printed = execFileSync('openssl', ['speed', '-seconds', whole, 'rsa2048'], options).toString();
  const rate = Number(/^rsa 2048 bits\s+\S+\s+\S+\s+(?<rate>[\d.]+)/m.exec(printed)?.groups?.rate);
  return { perSecond: rate, perCpuSecond: rate, p50Ms: 1000 / rate };
}

async function measurements(): Promise<
  Record<Measurement, (seconds: number) => Promise<Measured> | Measured>
> {
  const pool = createHashingPool({ concurrency: 1, queueLimit: 0, clock: systemClock });
  const passwords = createPasswords({ params: owaspParams, pool });
  const redis = new Redis(process.env.GATEHOUSE_TEST_REDIS_URL ?? '');
  const postgres = new Client({ connectionString: process.env.GATEHOUSE_TEST_DATABASE_URL });
  // The servers may stop before this process.
  postgres.on('error', () => {});
  redis.on('error', () => {});
  await postgres.connect();
  return {
    signatures: (seconds) => repeated(seconds, signature),
    openssl,
    hashes: (seconds) => repeated(seconds, () => passwords.verifyNothing('a password')),
    redis: (seconds) => repeated(seconds, () => redis.ping()),
    postgres: (seconds) => repeated(seconds, () => postgres.query('select 1 where 1 = $1', [1])),
  };
}

async function serve(): Promise<number> {
  const app = new Koa();
  app.use((ctx) => {
    ctx.body = ctx.path === '/signs' ? { token: signature().toString('base64url') } : { status: 'ok' };
  });
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const known = await measurements();
process.on('message', async ({ what, seconds }: { what: Measurement; seconds: number }) => {
  process.send?.(await known[what](seconds));
});
process.on('disconnect', () => process.exit());
process.send?.({ koaPort: await serve(), stockPort: await startStockProvider() });

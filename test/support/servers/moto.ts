import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../../provider/lib/package-root.ts';
import { pythonWith } from '../python.ts';
import { serverFolder, startKept } from './kept-process.ts';
import { startServer, type TestServer } from './server.ts';
import { stallProcesses } from './stall.ts';

export interface Moto extends TestServer {
  /** The settings that every client of the AWS SDK takes, for this server. */
  client: {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  };
  /** The environment variables that make the AWS SDK of another process use this server. */
  environment: Record<string, string>;
}

const run = promisify(execFile);

const script = join(packageRoot, 'test', 'support', 'servers', 'moto_server.py');
const region = 'eu-central-1';
const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };

/**
 * Starts moto, which emulates Secrets Manager, KMS, EventBridge and SQS. Only the tests that call this function start
 * it. The first run installs it.
 */
export async function startMoto(): Promise<Moto> {
  const program = await pythonWith(['moto[server]==5.2.5']);
  const server = await startServer({
    name: 'moto',
    start: (port) => {
      const args = [script, '-H', '127.0.0.1', '-p', String(port)];
      return startKept({ program, args, folder: serverFolder('moto', {}), owner: {} });
    },
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url) => {
      const answer = await fetch(`${url}/moto-api/data.json`);
      if (!answer.ok) throw new Error(`moto answered ${answer.status}`);
    },
    stall: async (url) => stallProcesses(await processesOn(new URL(url).port)),
  });
  return {
    ...server,
    client: { endpoint: server.url, region, credentials },
    environment: {
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  };
}

/** The ids of the processes that run moto on this port. */
async function processesOn(port: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,args=']);
  const lines = stdout.split('\n').filter((line) => line.includes(`${script} -H 127.0.0.1 -p ${port}`));
  return lines.map((line) => Number.parseInt(line, 10));
}

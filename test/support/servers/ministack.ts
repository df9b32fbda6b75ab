import { join } from 'node:path';
import { packageRoot } from '../../../provider/lib/package-root.ts';
import { pythonWith } from '../python.ts';
import { serverFolder, startKept } from './kept-process.ts';
import { startServer, type TestServer } from './server.ts';

/** ministack checks signatures with `cryptography`. Without it, every token gets 401. */
const requirements = ['ministack==1.5.33', 'cryptography==50.0.2'];

const script = join(packageRoot, 'test', 'support', 'servers', 'ministack_server.py');

/** The Python program that ministack runs in. It is installed at the first use. */
export const ministackPython = (): Promise<string> => pythonWith(requirements);

/** An emulator of API Gateway (HTTP APIs with JWT authorizers) and Lambda, and of other services that a caller names. */
export interface Ministack extends TestServer {
  /** Calls the control plane, as the AWS SDK does. Throws if the answer is not a success. */
  post(path: string, body: object): Promise<Record<string, string>>;
  /** The address at which callers reach an API. */
  apiUrl(apiId: string): string;
}

/**
 * Starts ministack on 127.0.0.1. Its Python packages are installed at the first use. Only test files that call this
 * start it.
 * @param services the services of AWS that it emulates, by ministack's names
 */
export async function startMinistack(services = ['apigateway', 'lambda']): Promise<Ministack> {
  const python = await ministackPython();
  const server = await startServer({
    name: 'ministack',
    start: (port) => {
      const owner = {};
      const folder = serverFolder('ministack', owner);
      // `env` sets what ministack reads from its environment. A proxy of the machine must not see its requests.
      const settings = {
        BIND_HOST: '127.0.0.1',
        GATEWAY_PORT: String(port),
        SERVICES: services.join(','),
        HOME: folder,
        // It leaves the code of Lambda functions here.
        TMPDIR: folder,
        NO_PROXY: '*',
        no_proxy: '*',
        PYTHONDONTWRITEBYTECODE: '1',
      };
      const variables = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
      const args = [...variables, python, script];
      return startKept({ program: '/usr/bin/env', args, folder, owner });
    },
    url: (port) => `http://127.0.0.1:${port}`,
    ready: async (url) => {
      const answer = await fetch(`${url}/_ministack/health`);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`ministack answers ${answer.status}`);
    },
    stall: () => Promise.reject(new Error('no test needs a stalled ministack')),
  });
  return {
    ...server,
    apiUrl: (apiId) => `${server.url}/_aws/execute-api/${apiId}/$default`,
    post: async (path, body) => {
      const answer = await fetch(`${server.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
      return JSON.parse(text) as Record<string, string>;
    },
  };
}

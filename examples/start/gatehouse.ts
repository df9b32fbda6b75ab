import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../test/support/free-port.ts';
import { startServer } from '../../test/support/servers/server.ts';
import { loader, startNode } from './processes.ts';

export const audience = 'https://api.example.com';

/** A person with an account. The roles are those of `../gatehouse/apis.yaml`. */
export interface Person {
  email: string;
  password: string;
  role: 'CLIENT' | 'MANAGER';
}

export const ann: Person = { email: 'ann@example.com', password: 'a-password-of-ann', role: 'CLIENT' };
export const mia: Person = { email: 'mia@example.com', password: 'a-password-of-mia', role: 'MANAGER' };

/** The answer of `POST /auth/login`. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

export interface Gatehouse {
  issuer: string;
  signIn(person: Person): Promise<Tokens>;
  /** Ends everything that was issued from this sign-in, also the access token. */
  signOut(tokens: Tokens): Promise<void>;
  stop(): Promise<void>;
}

const program = '../../provider/bin/cli.ts';
const file = (name: string) => fileURLToPath(new URL(`../gatehouse/${name}`, import.meta.url));

/** Starts Gatehouse with the clients, the API and the roles of `../gatehouse`, and creates the accounts. */
export async function startGatehouse(
  databaseUrl: string,
  moreSettings: Record<string, string>,
  people: Person[],
): Promise<Gatehouse> {
  const settings = {
    ...moreSettings,
    GATEHOUSE_DATABASE_URL: databaseUrl,
    GATEHOUSE_AUDIENCE: audience,
    GATEHOUSE_APIS_FILE: file('apis.yaml'),
    GATEHOUSE_CLIENTS_FILE: file('clients.yaml'),
    GATEHOUSE_DEFAULT_CLIENT: 'portal',
  };
  const opsPort = await freePort();
  const { url: issuer, stop } = await startServer({
    name: 'Gatehouse',
    start: (port) => {
      const env = { ...settings, GATEHOUSE_PORT: `${port}`, GATEHOUSE_OPS_PORT: `${opsPort}` };
      return startNode({ file: program, args: ['dev', '--json'], env });
    },
    url: (port) => `http://localhost:${port}`,
    ready: async () => {
      const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`);
      await answer.arrayBuffer();
      if (!answer.ok) throw new Error(`Gatehouse answers ${answer.status}`);
    },
    stall: () => Promise.reject(new Error('no example needs a stalled Gatehouse')),
  });
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${issuer}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text;
  };
  try {
    for (const person of people) await createAccount(person, settings);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    issuer,
    stop,
    signIn: async ({ email, password }) =>
      JSON.parse(await post('/auth/login', { email, password })) as Tokens,
    signOut: async ({ refreshToken }) => {
      await post('/auth/logout', { refreshToken });
    },
  };
}

/** Runs `gatehouse accounts create`. */
async function createAccount({ email, password, role }: Person, env: Record<string, string>): Promise<void> {
  const cli = fileURLToPath(new URL(program, import.meta.url));
  const args = [
    '--import',
    loader,
    cli,
    'accounts',
    'create',
    '--email',
    email,
    '--verified',
    '--role',
    role,
  ];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(password);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The account ${email} could not be created.`);
}

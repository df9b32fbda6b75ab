import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runProgram } from '../support/program.ts';

/** The output and the exit code of a command. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Workplace {
  folder: string;
  /** Runs `gatehouse` in the folder until it ends. `input` is its standard input. */
  gatehouse(args: string[], options?: { env?: Record<string, string>; input?: string }): Promise<Ended>;
  /** Writes a file into the folder and returns its path. */
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

export const audience = 'https://api.example.com';

/** An APIs file with two scopes and two roles. */
export const apisFile = stringify({
  apis: [
    {
      audience,
      name: 'Contracts',
      scopes: {
        'contracts:read': { description: 'Read your contracts', permission: 'contracts:read' },
        'contracts:write': { description: 'Change your contracts', permission: 'contracts:write' },
      },
    },
  ],
  roles: { CLIENT: ['contracts:read'], ADMIN: ['contracts:read', 'contracts:write'] },
});

export const goodClient = {
  id: 'shop',
  name: 'The Shop',
  secrets: [{ ref: 'env:SHOP_SECRET' }],
  redirectUris: ['https://shop.example.com/callback'],
  scopes: ['openid', 'contracts:read'],
};

/** Creates a folder to run commands in. @param env the environment of all commands */
export async function createWorkplace(env: Record<string, string> = {}): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-cli-'));
  return {
    folder,
    gatehouse: async (args, options = {}) => {
      const input = options.input === undefined ? {} : { input: options.input };
      const program = runProgram(args, { env: { ...env, ...options.env }, cwd: folder, ...input });
      const code = await program.ended;
      return { code, stdout: program.stdout(), stderr: program.stderr() };
    },
    write: async (name, text) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

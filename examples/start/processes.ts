import { fileURLToPath } from 'node:url';
import { type KeptProcess, serverFolder, startKept } from '../../test/support/servers/kept-process.ts';

/** Programs of this repository run from their source. */
export const loader = import.meta.resolve('tsx');

export interface NodeProcess {
  /** The file to run, relative to this folder. */
  file: string;
  args?: string[];
  env: Record<string, string>;
}

/** Starts a program of this repository. It ends at the latest when this process ends, however that happens. */
export function startNode({ file, args = [], env }: NodeProcess): KeptProcess {
  const program = fileURLToPath(new URL(file, import.meta.url));
  // The process runs in a folder of its own. This file says where `@gatehouse/verify` is.
  const settings = {
    TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)),
    ...env,
  };
  const variables = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return startKept({
    program: '/usr/bin/env',
    args: [...variables, process.execPath, '--import', loader, program, ...args],
    folder: serverFolder('example', {}),
    owner: {},
  });
}

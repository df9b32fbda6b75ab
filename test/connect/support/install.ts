import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../../provider/lib/package-root.ts';
import { findProgram } from '../../support/servers/programs.ts';

const run = promisify(execFile);

/** Where the libraries of the apps are kept between runs, outside the repository. */
const cache = () => process.env.GATEHOUSE_CONNECT_CACHE || join(homedir(), '.cache', 'gatehouse', 'connect');

/** The folder of an app's own files: `test/connect/apps/NAME`. */
export const appSources = (name: string) => join(packageRoot, 'test', 'connect', 'apps', name);

export interface Installation {
  /** The name of the folder in `test/connect/apps/`. */
  name: string;
  /** The files that decide what is installed, such as a manifest and its lock. Each change installs anew. */
  manifests: string[];
  /** Installs into this folder. It has the manifests already. */
  install(folder: string): Promise<void>;
}

/**
 * Returns a folder with the libraries (or the compiled program) of an app. The first run installs them in the cache.
 * Later runs reuse them until a manifest changes.
 */
export async function installed({ name, manifests, install }: Installation): Promise<string> {
  const texts = await Promise.all(manifests.map((file) => readFile(join(appSources(name), file))));
  const key = createHash('sha256')
    .update(Buffer.concat([...texts, Buffer.from(process.version)]))
    .digest('hex')
    .slice(0, 12);
  const home = join(cache(), `${name}-${key}`);
  if (existsSync(home)) return home;
  await mkdir(cache(), { recursive: true });
  const draft = await mkdtemp(`${home}-`);
  try {
    for (const file of manifests) await cp(join(appSources(name), file), join(draft, file));
    await install(draft);
    // Built in another folder and moved in one step. A parallel run then finds a complete folder or none.
    await rename(draft, home).catch((error) => {
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return home;
}

/** Runs an installer to its end. Throws with its output if it fails. */
export async function runInstaller(
  program: string,
  args: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<string> {
  try {
    const { stdout } = await run(program, args, { maxBuffer: 64 * 1024 * 1024, ...options });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/**
 * Returns the path of a program that the test of a client needs. Throws with a sentence that says what to install if
 * this machine does not have it.
 */
export function requireProgram(names: string[], whatToInstall: string): string {
  const program = findProgram(names);
  if (program === undefined)
    throw new Error(`This test needs ${names.join(' or ')}, which is not here: install ${whatToInstall}.`);
  return program;
}

/** The npm packages of `test/connect/apps/NAME`, exactly as its lock file says. Returns the folder with `node_modules`. */
export const installedWithNpm = (name: string): Promise<string> =>
  installed({
    name,
    manifests: ['package.json', 'package-lock.json'],
    install: async (folder) => {
      const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
      await runInstaller('npm', ['ci', '--ignore-scripts', ...quiet], { cwd: folder });
    },
  });

/** The Python packages of `requirements.txt` of `test/connect/apps/NAME`. Returns the path of a Python that has them. */
export async function installedWithPip(name: string): Promise<string> {
  const python = requireProgram(['python3'], 'python3 with its venv module (Debian: python3-venv)');
  const manifests = ['requirements.txt'];
  const install = async (folder: string) => {
    await runInstaller(python, ['-m', 'venv', folder], { cwd: folder });
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    const args = ['-m', 'pip', 'install', ...quiet, '-r', 'requirements.txt'];
    await runInstaller(join(folder, 'bin', 'python'), args, { cwd: folder });
  };
  return join(await installed({ name, manifests, install }), 'bin', 'python');
}

/** A copy of the app's own files in a new folder of the temporary folder. The test removes it. */
export async function copyOfApp(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `gatehouse-connect-${name}-`));
  if (existsSync(appSources(name))) await cp(appSources(name), folder, { recursive: true });
  return folder;
}

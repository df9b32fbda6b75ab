import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canInstallPackages, findProgram, installPackages } from '../../support/servers/programs.ts';
import { ownEnvironment } from './app-process.ts';
import { installed, requireProgram, runInstaller } from './install.ts';

const go = () => requireProgram(['go'], 'Go 1.26 or later (https://go.dev/doc/install)');

/** Compiles the Go app in this folder, which has its `go.mod` and `go.sum`. Returns the path of the program. */
export async function builtWithGo(folder: string): Promise<string> {
  await runInstaller(go(), ['build', '-o', 'app', '.'], { cwd: folder, env: goEnvironment() });
  return join(folder, 'app');
}

/** The program that the `tool` line of `test/connect/apps/NAME/go.mod` names, compiled once. Returns its path. */
export async function installedGoTool(name: string): Promise<string> {
  const install = async (cwd: string) => {
    const env = { ...goEnvironment(), GOBIN: join(cwd, 'bin') };
    await runInstaller(go(), ['install', 'tool'], { cwd, env });
  };
  return join(await installed({ name, manifests: ['go.mod', 'go.sum'], install }), 'bin', name);
}

/** One compiler at a time: other tests run meanwhile. */
const goEnvironment = () => ({ ...process.env, GOFLAGS: '-buildvcs=false -p=1', CGO_ENABLED: '0' });

/** Compiles the Rust app in this folder. Its libraries are compiled once and kept. Returns the path of the program. */
export async function builtWithCargo(name: string, folder: string): Promise<string> {
  const cargo = requireProgram(['cargo'], 'Rust 1.88 or later (https://rustup.rs)');
  const home = await installed({
    name,
    manifests: ['Cargo.toml', 'Cargo.lock'],
    install: async (draft) => {
      await mkdir(join(draft, 'target'));
    },
  });
  const env = { ...process.env, CARGO_TARGET_DIR: join(home, 'target') };
  await runInstaller(cargo, ['build', '--locked', '--quiet', '--jobs', '1'], { cwd: folder, env });
  return join(home, 'target', 'debug', name);
}

/**
 * Returns the path of a program of Debian's packages, which are installed if that is possible without a question. Throws
 * with a sentence that says what to install.
 *
 * @param file another file that the packages bring, and without which the program is of no use
 */
export async function debianProgram(name: string, file: string, packages: string[]): Promise<string> {
  const found = () => (existsSync(file) ? findProgram([name], ['/usr/sbin']) : undefined);
  if (found() === undefined && canInstallPackages()) await installPackages(packages);
  const program = found();
  if (program !== undefined) return program;
  throw new Error(`This test needs ${packages.join(' and ')} of Debian or Ubuntu: install both.`);
}

/** Runs a command of the client to its end. Returns what it printed. */
export const commandOutput = (program: string, args: string[], cwd: string, env = {}): Promise<string> =>
  runInstaller(program, args, { cwd, env: { ...ownEnvironment(), ...env } });

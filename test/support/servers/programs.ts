import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the full path of the first program in the list that is on the PATH or in one of the other folders. */
export function findProgram(names: string[], otherFolders: string[] = []): string | undefined {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const folders = [...path, ...otherFolders];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

/** Whether a Docker daemon answers. */
export async function dockerWorks(): Promise<boolean> {
  if (findProgram(['docker']) === undefined) return false;
  return run('docker', ['info'], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

/** Whether packages can be installed here without a prompt. */
export function canInstallPackages(): boolean {
  return (
    process.getuid?.() === 0 && existsSync('/etc/debian_version') && findProgram(['apt-get']) !== undefined
  );
}

/** Installs Debian packages. Rejects with the end of apt-get's output and an alternative. */
export async function installPackages(packages: string[]): Promise<void> {
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 64 * 1024 * 1024,
  };
  try {
    await run('apt-get', ['update', '-qq'], options);
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message.trim().split('\n').at(-1) : '';
    throw new Error(`apt-get couldn't install ${packages.join(', ')}; do it by hand. It said: ${words}`, {
      cause,
    });
  }
}

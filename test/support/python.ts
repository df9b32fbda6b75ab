import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { canInstallPackages, findProgram, installPackages } from './servers/programs.ts';

const run = promisify(execFile);

/**
 * Returns the path of a Python program that has these packages (`name==version`). The first run creates it in the
 * ignored folder `artifacts/`. Later runs reuse it. `make clean` removes it.
 */
export async function pythonWith(requirements: string[]): Promise<string> {
  const key = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 12);
  const home = resolve('artifacts', `python-${key}`);
  const program = join(home, 'bin', 'python');
  if (existsSync(program)) return program;
  await ensurePython();
  await mkdir('artifacts', { recursive: true });
  const draft = await mkdtemp(`${home}-`);
  try {
    await run('python3', ['-m', 'venv', draft]);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    await run(join(draft, 'bin', 'python'), ['-m', 'pip', 'install', ...quiet, ...requirements]);
    // Build it in another folder and move it in one step. A parallel run then finds a complete environment or none.
    await rename(draft, home).catch((error) => {
      if (!existsSync(program)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return program;
}

async function ensurePython(): Promise<void> {
  const works = async () =>
    findProgram(['python3']) !== undefined &&
    (await run('python3', ['-c', 'import venv, ensurepip']).then(
      () => true,
      () => false,
    ));
  if (await works()) return;
  if (canInstallPackages()) await installPackages(['python3', 'python3-venv']);
  if (!(await works()))
    throw new Error('This test needs Python: install python3 with its venv module (Debian: python3-venv).');
}

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Returns a folder whose scripts can import these npm packages (`name@version`). They are for one test, so they are no
 * dependencies of the project. The first run installs them in the ignored folder `artifacts/`. Later runs reuse it.
 */
export async function folderWithPackages(packages: string[]): Promise<string> {
  const key = createHash('sha256').update(packages.join('\n')).digest('hex').slice(0, 12);
  const home = resolve('artifacts', `node-${key}`);
  if (existsSync(home)) return home;
  await mkdir('artifacts', { recursive: true });
  const draft = await mkdtemp(`${home}-`);
  try {
    await writeFile(join(draft, 'package.json'), '{ "private": true }');
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...quiet, ...packages], { cwd: draft });
    // Built in another folder and moved in one step. A parallel run then finds a complete folder or none.
    await rename(draft, home).catch((error) => {
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return home;
}

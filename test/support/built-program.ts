import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../provider/lib/package-root.ts';

const run = promisify(execFile);

/**
 * Compiles the program like a release, so that the tests run what users run and start fast. The output is under the
 * package's own folder, where the program finds its modules and views. Sets the output folder in the environment for
 * the workers. Returns a function that removes it.
 * @param bundled whether it is bundled, as a release is. Profiles need the files of the source
 */
export async function buildProgram({ bundled = true } = {}): Promise<() => Promise<void>> {
  await mkdir(join(packageRoot, 'artifacts'), { recursive: true });
  const folder = await mkdtemp(join(packageRoot, 'artifacts', 'build-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const compiler = join(packageRoot, 'node_modules', '.bin', 'tsc');
  const args = ['-p', join(packageRoot, 'tsconfig.build.json'), '--outDir', folder, '--noCheck'];
  try {
    await run(compiler, args);
    if (bundled) await run(process.execPath, [join(packageRoot, '.ci', 'bundle.js'), folder]);
  } catch (error) {
    await remove();
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`The program can't be compiled: ${stdout}${stderr}`);
  }
  process.env.GATEHOUSE_TEST_BUILD = folder;
  return remove;
}

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../provider/lib/package-root.ts';

const run = promisify(execFile);

/**
 * Compiles the program as a release is compiled, so that the tests start what users run, and fast. Under the
 * package's own folder, where it finds its modules and views. Tells workers the place; gives what removes it.
 */
export async function buildProgram(): Promise<() => Promise<void>> {
  await mkdir(join(packageRoot, 'artifacts'), { recursive: true });
  const folder = await mkdtemp(join(packageRoot, 'artifacts', 'build-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const compiler = join(packageRoot, 'node_modules', '.bin', 'tsc');
  const args = ['-p', join(packageRoot, 'tsconfig.build.json'), '--outDir', folder, '--noCheck'];
  try {
    await run(compiler, args);
  } catch (error) {
    await remove();
    throw new Error(`The program can't be compiled: ${(error as { stdout?: string }).stdout}`);
  }
  process.env.GATEHOUSE_TEST_BUILD = folder;
  return remove;
}

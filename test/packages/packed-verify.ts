import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Builds and packs `packages/verify` as a release does.
 *
 * @param to the folder of the archive
 * @returns the path of the archive
 */
export async function packVerify(to: string): Promise<string> {
  await mkdir('artifacts', { recursive: true });
  // Parallel runs build in different folders. The copy is as deep as the original, so that it finds the same settings.
  const copy = await mkdtemp(resolve('artifacts', 'verify-'));
  try {
    await cp('packages/verify', copy, {
      recursive: true,
      filter: (source) => !/verify\/(build|node_modules)(\/|$)/.test(source),
    });
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', to], { cwd: copy });
    return join(to, stdout.trim().split('\n').at(-1) ?? '');
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

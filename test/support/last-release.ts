import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../provider/lib/package-root.ts';

const run = promisify(execFile);
const git = async (...args: string[]) => (await run('git', args, { cwd: packageRoot })).stdout.trim();

/** Counts as the last release until there is a tag of a release. */
const beforeFirstRelease = 'af6319f9b5e4d6684a11d3e24413bed242d3b806';

export interface LastRelease {
  /** Its tag or commit. */
  name: string;
  /** The folder of the compiled program. */
  build: string;
  remove(): Promise<void>;
}

/**
 * Compiles the last release from the history of the repository. It uses the libraries of this release. Gives undefined
 * when the copy of the repository has no history, such as a shallow clone.
 */
export async function buildLastRelease(): Promise<LastRelease | undefined> {
  const name = await lastReleaseName();
  if (name === undefined) return undefined;
  await mkdir(join(packageRoot, 'artifacts'), { recursive: true });
  const folder = await mkdtemp(join(packageRoot, 'artifacts', 'last-release-'));
  const archive = join(folder, 'source.tar');
  const build = join(folder, 'build');
  const parts = ['provider', 'adapters', 'views', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  await git('archive', `--output=${archive}`, name, ...parts);
  await run('tar', ['-xf', archive, '-C', folder]);
  const compiler = join(packageRoot, 'node_modules', '.bin', 'tsc');
  await run(compiler, ['-p', join(folder, 'tsconfig.build.json'), '--outDir', build, '--noCheck']);
  return { name, build, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function lastReleaseName(): Promise<string | undefined> {
  try {
    const head = await git('rev-parse', 'HEAD');
    const tags = await git('tag', '--merged', 'HEAD', '--list', 'v[0-9]*', '--sort=-version:refname');
    for (const tag of tags.split('\n').filter((line) => line !== ''))
      if ((await git('rev-list', '-n', '1', tag)) !== head) return tag;
    await git('cat-file', '-e', `${beforeFirstRelease}^{commit}`);
    return beforeFirstRelease;
  } catch {
    return undefined;
  }
}

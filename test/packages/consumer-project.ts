import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { blocksOf } from '../support/page-blocks.ts';
import { packVerify } from './packed-verify.ts';

const run = promisify(execFile);
const packages = [
  'express@5.3.0',
  'fastify@5.12.8',
  'koa@3.3.0',
  '@types/aws-lambda@8.10.164',
  '@types/express@5.0.6',
  '@types/koa@3.0.3',
  '@types/node@20.19.43',
];

/** The module systems of a consumer. */
export const formats = ['module', 'commonjs'] as const;
export type Format = (typeof formats)[number];

/** An empty project outside of the repository, with the packed package and nothing else of ours. */
export interface ConsumerProject {
  folder: string;
  /** The installed package. */
  installed: string;
  /**
   * Writes the sources of the consumer into a folder of its own, which has this module system.
   * @param change is applied to each text
   */
  writeSources(format: Format, change?: (text: string) => string): Promise<string>;
  /**
   * Compiles such a folder with these options too. Returns what the compiler says: '' if all is right. Faults inside the
   * types of other packages are left out.
   */
  compile(sources: string, options?: string[]): Promise<string>;
  remove(): Promise<void>;
}

/** The examples of the package's README, by their heading: `express`, `koa`, … */
async function readmeExamples(): Promise<[name: string, text: string][]> {
  const page = await readFile('packages/verify/README.md', 'utf8');
  return page.split(/^## /m).flatMap((section) => {
    const name = section.split('\n')[0]?.toLowerCase() ?? '';
    return blocksOf(section).flatMap(({ language, text }): [string, string][] =>
      language === 'ts' ? [[`readme-${name}`, text]] : [],
    );
  });
}

export async function createConsumerProject(): Promise<ConsumerProject> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-consumer-'));
  const archive = await packVerify(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
  await run('npm', ['install', ...quiet, archive, ...packages], { cwd: folder });

  const writeSources: ConsumerProject['writeSources'] = async (format, change = (text) => text) => {
    const home = await mkdtemp(join(folder, `${format}-`));
    await mkdir(join(home, 'src'));
    await writeFile(join(home, 'package.json'), JSON.stringify({ type: format }));
    await cp('test/packages/consumer/tsconfig.json', join(home, 'tsconfig.json'));
    for (const name of ['claims', 'events'])
      await cp(`test/packages/consumer/${name}.ts`, join(home, 'src', `${name}.ts`));
    for (const [name, text] of await readmeExamples())
      await writeFile(join(home, 'src', `${name}.ts`), change(text));
    return home;
  };

  const compile: ConsumerProject['compile'] = async (sources, options = []) => {
    const tsc = resolve('node_modules/typescript/lib/tsc.js');
    const compiler = run(process.execPath, [tsc, '-p', sources, ...options]);
    const { stdout } = await compiler.catch((error: { stdout: string }) => error);
    return stdout.replace(/^.*node_modules\/@types\/.*\n/gm, '');
  };

  const installed = join(folder, 'node_modules/@gatehouse/verify');
  const remove = () => rm(folder, { recursive: true, force: true });
  return { folder, installed, writeSources, compile, remove };
}

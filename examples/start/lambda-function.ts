import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type Ministack, ministackPython } from '../../test/support/servers/ministack.ts';

export interface LambdaFunction {
  name: string;
  /** The file that exports `handler`, relative to this folder. */
  file: string;
  /** Its environment. */
  variables: Record<string, string>;
}

/** Bundles a handler into one file, as for AWS, and creates the function in ministack, which runs it with Node. Gives its ARN. */
export async function createFunction(
  ministack: Ministack,
  { name, file, variables }: LambdaFunction,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-function-'));
  try {
    await build({
      entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
      outfile: join(folder, 'index.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      // Older libraries, such as pg, can only be bundled in this form.
      format: 'cjs',
      logOverride: { 'empty-import-meta': 'silent' },
    });
    const zip = join(folder, 'function.zip');
    const python = await ministackPython();
    await promisify(execFile)(python, ['-m', 'zipfile', '-c', zip, 'index.js'], { cwd: folder });
    const { FunctionArn = '' } = await ministack.post('/2015-03-31/functions', {
      FunctionName: name,
      Runtime: 'nodejs20.x',
      Role: `arn:aws:iam::000000000000:role/${name}`,
      Handler: 'index.handler',
      Timeout: 10,
      Code: { ZipFile: (await readFile(zip)).toString('base64') },
      Environment: { Variables: variables },
    });
    return FunctionArn;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
